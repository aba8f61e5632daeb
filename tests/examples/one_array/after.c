/* A small net as one finds it in single files of C: doubles, every variable in one
 * array without names, a neuron's row its threshold (which meets an input of -1) and
 * its weights, AdamW of its own. before.c is the program as it was; after.c is the
 * same file with natgrad plugged in. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <natgrad.h>

enum { IN = 6, H = 24, BATCH = 64, STEPS = 600, HELD = 1024, LAYERS = 3 };
static const int size[LAYERS + 1] = {IN, H, H, 1};
enum { VARIABLES = H * (IN + 1) + H * (H + 1) + H + 1 };

static double v[VARIABLES], g[VARIABLES];
/* the inputs of each layer, -1 first, and the derivatives of its outputs before tanh */
static double a[LAYERS + 1][BATCH][H + 1], d[LAYERS][BATCH][H];
static const ng_policy_entry net[] = {
    {.dims = {H, IN + 1}}, {.dims = {H, H + 1}}, {.dims = {1, H + 1}}};
static unsigned long long state = 1;

static double uniform(double range)
{
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return range * ((double)(state >> 11) / (double)(1ULL << 53));
}

static double target(const double *x)
{
    return sin(2 * x[0] + x[1]) * cos(x[2]) + x[3] * x[4] - 0.5 * x[5];
}

/* Mean squared error of a batch that is drawn; the derivatives of half of it into g. */
static double run(int learn)
{
    double loss = 0, error[BATCH];
    for (int s = 0; s < BATCH; s++) {
        const double *w = v;
        for (int i = 0; i < IN; i++)
            a[0][s][1 + i] = uniform(4) - 2;
        for (int l = 0; l < LAYERS; l++) {
            a[l][s][0] = -1;
            for (int i = 0; i < size[l + 1]; i++, w += size[l] + 1) {
                double sum = 0;
                for (int j = 0; j <= size[l]; j++)
                    sum += w[j] * a[l][s][j];
                a[l + 1][s][1 + i] = l + 1 < LAYERS ? tanh(sum) : sum;
            }
        }
        error[s] = a[LAYERS][s][1] - target(a[0][s] + 1);
        loss += error[s] * error[s] / BATCH;
    }
    memset(g, 0, sizeof g);
    for (int s = 0; s < BATCH && learn; s++) {
        const double *w = v + VARIABLES;
        double *dw = g + VARIABLES;
        d[LAYERS - 1][s][0] = error[s] / BATCH;
        for (int l = LAYERS - 1; l >= 0; l--) {
            int rows = size[l + 1], cols = size[l] + 1;
            w -= rows * cols, dw -= rows * cols;
            for (int i = 0; i < rows; i++)
                for (int j = 0; j < cols; j++)
                    dw[i * cols + j] += d[l][s][i] * a[l][s][j];
            for (int j = 1; j < cols && l > 0; j++) {
                double sum = 0;
                for (int i = 0; i < rows; i++)
                    sum += d[l][s][i] * w[i * cols + j];
                d[l - 1][s][j - 1] = sum * (1 - a[l][s][j] * a[l][s][j]);
            }
        }
    }
    return loss;
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return fprintf(stderr, "usage: before SEED LR\n"), 2;
    double *w = v, loss = 0;
    state = strtoull(argv[1], NULL, 10);
    for (int l = 0; l < LAYERS; l++)
        for (int i = 0; i < size[l + 1] * (size[l] + 1); i++)
            *w++ = (uniform(2) - 1) * sqrt(3.0 / (size[l] + 1));
    ng_optimizer *opt;
    ng_policy policy;
    ng_optimizer_create(&opt, NULL), ng_policy_init_presets(&policy, opt, argv[2], argv[3]);
    ng_policy_add_all(&policy, NULL, net, LAYERS, ng_f64(v, 1, VARIABLES), ng_f64(g, 1, VARIABLES));
    for (int step = 1; step <= STEPS; step++) {
        run(1);
        if (ng_optimizer_error(opt)[0] != '\0' || ng_optimizer_step(opt) != NG_OK)
            return fprintf(stderr, "%s\n", ng_optimizer_error(opt)), 1;
    }
    for (int i = 0; i < HELD / BATCH; i++)
        loss += run(0) / (HELD / BATCH);
    printf("step %d  validation %.5f\n", STEPS, loss);
    ng_optimizer_destroy(opt);
    return 0;
}
