/* What holds exactly: of the formulas, and along the paths as steps shrink. */
#include <math.h>
#include <stdio.h>

#include "examples/ska/ska.h"
#include "examples/support/program.h"

static double sigmoid(double z)
{
    return 1 / (1 + exp(-z));
}

static double slope(double z)
{
    return sigmoid(z) * sigmoid(-z);
}

static double softplus(double z)
{
    return z > 0 ? z + log1p(exp(-z)) : log1p(exp(z));
}

/* Shannon's entropy of a unit that is on with sigmoid(z), in bits */
static double bits(double z)
{
    return (sigmoid(z) * softplus(-z) + sigmoid(-z) * softplus(z)) / log(2);
}

/* ---- Formulas ------------------------------------------------------------------------------- */

/* The integral of f from 0 to z, by Simpson's rule. */
static double integral(double (*f)(double), double z)
{
    enum { PARTS = 2000 };
    double sum = f(0) + f(z);
    for (int i = 1; i < PARTS; i++)
        sum += (i % 2 == 1 ? 4 : 2) * f(z * i / PARTS);
    return sum * z / PARTS / 3;
}

static double knowledge(double z)
{
    return -z * slope(z) / log(2);
}

/* The action of -z D' dz/dt on the path a + (b - a) t + height sin(waves pi t), t in [0, 1] */
static double action(double a, double b, double height, int waves)
{
    enum { PARTS = 20000 };
    const double pi = acos(-1);
    double sum = 0;
    for (int i = 0; i < PARTS; i++) {
        double t = (i + 0.5) / PARTS, z = a + (b - a) * t + height * sin(waves * pi * t);
        double speed = b - a + height * waves * pi * cos(waves * pi * t);
        sum -= z * slope(z) * speed / PARTS;
    }
    return sum;
}

/* The relative entropy of a unit at z from one at y, nats */
static double divergence(double y, double z)
{
    return sigmoid(y) * (softplus(-z) - softplus(-y)) + sigmoid(-y) * (softplus(z) - softplus(y));
}

void formulas(paper *p)
{
    double shannon = 0, tensor = 0, fisher = 0, paths = 0, minus = 0;
    (void)p;
    for (int i = -40; i <= 40; i++) {
        const double z = 0.25 * i, e = 1e-3;
        shannon = fmax(shannon, fabs(integral(knowledge, z) - (bits(z) - 1)));
        tensor = fmax(tensor, fabs(integral(sigmoid, z) - (softplus(z) - log(2))));
        fisher =
            fmax(fisher, fabs((divergence(z, z + e) + divergence(z, z - e)) / (e * e) - slope(z)));
        minus = fmax(minus, fabs((bits(z + e) - bits(z - e)) / (2 * e) + slope(z) * z / log(2)));
    }
    for (int waves = 1; waves <= 5; waves++)
        paths = fmax(paths, fabs(action(-1, 3, 2, waves) - log(2) * (bits(3) - bits(-1))));
    target_print("ska", "entropy_is_shannon_s_less_one_bit", 0, shannon, 1e-10);
    target_print("ska", "its_gradient_is_minus_z_slope_over_log_2", 0, minus, 1e-6);
    target_print("ska", "slope_is_the_fisher_information_of_a_unit", 0, fisher, 1e-6);
    target_print("ska", "integral_of_d_is_softplus", 0, tensor, 1e-10);
    target_print("ska", "action_of_five_paths_less_that_of_their_ends", 0, paths, 1e-6);
    verdict_print("ska", "the entropy of a layer is Shannon's, in bits, less one a unit",
                  shannon <= 1e-10 ? VERDICT_YES : VERDICT_NO);
    verdict_print("ska", "the principle of least action selects a path",
                  paths <= 1e-6 ? VERDICT_NO : VERDICT_YES);
}

/* ---- Smaller steps, the same time ------------------------------------------------------------ */

enum { STEPS = 6, QUARTER = 4, HALF = 2, COARSE = 1, FINE = 5 };

/* eta = 1/per, 50 passes at 1/100 */
static const size_t per[STEPS] = {50, 100, 200, 300, 400, 1000};

/* Of a layer; errors are what a sum over passes differs by from the difference of its ends,
 * which they are a share of. */
typedef struct {
    double time, depth; /* of the least H, and H / eta there, per 1000 images */
    double bits;        /* of all H, a neuron and image */
    double shannon, middle, net, net_other, action;
} outcome;

static void summarise(outcome *o, const pass *r, size_t l, double eta, size_t passes, double images)
{
    const size_t least = ska_least(r, passes);
    const double entropy = r[passes - 1].entropy - r[0].entropy;
    const double plus = r[passes - 1].softplus - r[0].softplus;
    *o = (outcome){.time = eta * (double)least,
                   .depth = r[least].h / eta * 1000 / images,
                   .shannon = -1,
                   .middle = -1,
                   .net = -1,
                   .net_other = -1,
                   .action = -1};
    for (size_t k = 1; k < passes; k++) {
        o->bits -= r[k].h / (images * (double)ska_widths[l]);
        o->shannon += r[k].h / entropy;
        o->middle += r[k].middle / entropy;
        o->net += r[k].net / (plus + entropy);
        o->net_other += r[k].net_other / (plus - entropy);
        o->action += r[k].action / (log(2) * entropy);
    }
}

/* Of layer 2, where they are largest. Errors at eta over those at eta / 2, of first order 2 and of
 * second 4, where errors of all passes have one sign; else the smallest step's. */
static void orders(outcome o[STEPS][LAYERS])
{
    const outcome *a = &o[HALF][1], *b = &o[QUARTER][1], *c = &o[FINE][1];
    target_print("ska", "order_of_sum_h_to_shannon", 2, a->shannon / b->shannon, 0.3);
    target_print("ska", "order_of_the_same_half_way", 4, a->middle / b->middle, 0.8);
    target_print("ska", "order_of_the_depth_in_eta", 2,
                 (o[COARSE][1].depth - a->depth) / (a->depth - b->depth), 0.4);
    target_print("ska", "sum_of_net_over_softplus_plus_h", 1, 1 + c->net, 0.02);
    target_print("ska", "sum_of_other_net_over_softplus_less_h", 1, 1 + c->net_other, 0.02);
    target_print("ska", "action_over_that_of_its_ends", 1, 1 + c->action, 0.02);
}

static void times(outcome o[STEPS][LAYERS], int mnist)
{
    static const struct {
        size_t step;
        double time[LAYERS];
    } known[] = {{0, {0.30, 0.18, 0.26, 0.48}},
                 {1, {0.29, 0.17, 0.24, 0.49}},
                 {2, {0.29, 0.165, 0.235, 0.49}},
                 {5, {0.294, 0.166, 0.235, 0.492}}};
    static const double starts[LAYERS] = {0.006, 0.004, 0.018, 0.021}; /* sd */
    char word[48];
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        for (size_t l = mnist ? 0 : 1; l < LAYERS; l++) {
            const size_t n = per[known[i].step];
            snprintf(word, sizeof word, "time_of_min_eta_1/%zu_layer_%zu", n, l + 1);
            target_print("ska", word, known[i].time[l], o[known[i].step][l].time,
                         3 * starts[l] + 1 / (double)n);
        }
}

static void judge(outcome o[STEPS][LAYERS], int mnist)
{
    static const double depth[STEPS] = {-893e3, -745e3, -684e3, -664e3, -655e3, -639e3};
    static const double bit[LAYERS] = {0.690, 0.953, 0.920, 0.392};
    char word[48];
    int one = 1;
    times(o, mnist);
    for (size_t i = 0; i < STEPS; i++) {
        snprintf(word, sizeof word, "depth_layer_2_eta_1/%zu", per[i]);
        target_print("ska", word, depth[i], o[i][1].depth, 3 * ska_starts.depth_sd);
        snprintf(word, sizeof word, "depth_over_the_finest_eta_1/%zu", per[i]);
        target_print("ska", word, depth[i] / depth[FINE], o[i][1].depth / o[FINE][1].depth, 0.04);
    }
    for (size_t l = mnist ? 0 : 1; l < LAYERS; l++) {
        snprintf(word, sizeof word, "bits_a_neuron_layer_%zu", l + 1);
        target_print("ska", word, bit[l], o[FINE][l].bits, 3 * ska_starts.bits_sd[l]);
    }
    for (size_t l = 0; l < LAYERS; l++)
        one = one && fabs(o[HALF][l].time - o[FINE][l].time) <= 0.01;
    orders(o);
    verdict_print("ska", "steps of equal eta K give the same curves, in the limit of small steps",
                  one ? VERDICT_YES : VERDICT_PARTLY);
}

void steps(paper *p)
{
    static record r;
    outcome o[STEPS][LAYERS];
    int mnist;
    network net;
    net_make(&net, ska_all(p, &mnist));
    puts(" eta K   time of min H by layer     H/eta there, layer 2  bits a neuron");
    for (size_t i = 0; i < STEPS && !program_interrupted(); i++) {
        const double eta = 1 / (double)per[i];
        const size_t passes = per[i] / 2;
        char name[16];
        net_run(r, &net, eta, passes, paper_random(p, ska_starts.stream));
        for (size_t l = 0; l < LAYERS; l++)
            summarise(&o[i][l], r[l], l, eta, passes, (double)p->samples);
        snprintf(name, sizeof name, "step%zu", per[i]);
        ska_rows(p, r, name, eta, passes);
        printf("1/%-4zu  %.3f %.3f %.3f %.3f  %10.0f            %.3f %.3f %.3f %.3f\n", per[i],
               o[i][0].time, o[i][1].time, o[i][2].time, o[i][3].time, o[i][1].depth, o[i][0].bits,
               o[i][1].bits, o[i][2].bits, o[i][3].bits);
    }
    if (!program_interrupted())
        judge(o, mnist);
}
