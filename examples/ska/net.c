/* The authors' algorithm, and images. */
#include <math.h>

#include "examples/ska/ska.h"
#include "examples/support/images.h"

const size_t ska_widths[LAYERS] = {256, 128, 64, 10};

void net_make(network *net, ng_mat x)
{
    size_t in = x.cols;
    net->x = x;
    for (size_t l = 0; l < LAYERS; l++) {
        dense *layer = &net->layers[l];
        ng_mat *const rooms[] = {&layer->z, &layer->d, &layer->z0, &layer->d0, &layer->g};
        for (size_t k = 0; k < sizeof rooms / sizeof *rooms; k++)
            *rooms[k] = paper_mat(x.rows, ska_widths[l]);
        layer->w = paper_mat(in, ska_widths[l]);
        layer->b = paper_mat(1, ska_widths[l]);
        in = ska_widths[l];
    }
}

static void forward(const dense *l, ng_mat input)
{
    ng_error error = {NG_OK, ""};
    const double *b = l->b.data;
    double *z = l->z.data, *d = l->d.data;
    paper_must(ng_gemm(l->z, input, NG_NOTRANS, l->w, NG_NOTRANS, 1, 0, &error), &error);
    for (size_t i = 0; i < l->z.rows; i++)
        for (size_t j = 0; j < l->z.cols; j++, z++, d++) {
            *z += b[j];
            *d = 1 / (1 + exp(-*z));
        }
}

/* What is known of a layer at a pass, and g. */
static void observe(pass *now, const dense *l, double eta)
{
    const double *z = l->z.data, *d = l->d.data, *z0 = l->z0.data, *d0 = l->d0.data;
    const double bit = 1 / log(2);
    double *g = l->g.data, moved = 0, turned = 0, squares = 0, along = 0;
    *now = (pass){0};
    for (size_t i = 0; i < l->z.rows * l->z.cols; i++) {
        const double dz = z[i] - z0[i], dd = d[i] - d0[i], slope = d[i] * (1 - d[i]);
        const double q = fmax(1 - d[i], 1e-300), p = fmax(d[i], 1e-300);
        g[i] = -bit * (z[i] * slope + dd);
        along += z[i] * dd;
        now->middle -= bit * (z[i] + z0[i]) / 2 * dd;
        now->net += dz * (d[i] - bit * z[i] * slope);
        now->net_other += dz * (d[i] + bit * z[i] * slope);
        now->action -= z[i] * slope * dz;
        now->entropy -= bit * (p * log(p) + q * log(q));
        now->softplus += z[i] - log(p);
        moved += dz * dz;
        turned += dd * dd;
        squares += z[i] * z[i];
    }
    now->h = -bit * along;
    now->flow = sqrt(moved) / eta;
    now->norm = sqrt(squares);
    now->cosine = turned > 0 ? along / sqrt(squares * turned) : 0;
}

static void step(const dense *l, ng_mat input, double eta)
{
    ng_error error = {NG_OK, ""};
    const double rate = eta / (double)input.rows;
    double *b = l->b.data;
    const double *g = l->g.data;
    paper_must(ng_gemm(l->w, input, NG_TRANS, l->g, NG_NOTRANS, -rate, 1, &error), &error);
    for (size_t i = 0; i < l->g.rows; i++)
        for (size_t j = 0; j < l->g.cols; j++)
            b[j] -= rate * *g++;
}

static void keep(dense *l)
{
    const ng_mat z = l->z, d = l->d;
    l->z = l->z0;
    l->d = l->d0;
    l->z0 = z;
    l->d0 = d;
}

static void begin(const dense *l)
{
    ng_error error = {NG_OK, ""};
    paper_must(ng_copy(l->z0, l->z, &error), &error);
    paper_must(ng_copy(l->d0, l->d, &error), &error);
}

void net_run(record r, network *net, double eta, size_t passes, const ng_random *start)
{
    for (size_t l = 0; l < LAYERS; l++) {
        paper_normal(net->layers[l].w, start);
        ng_scale(net->layers[l].w, 0.01);
        ng_fill(net->layers[l].b, 0);
    }
    for (size_t k = 0; k < passes; k++) {
        for (size_t l = 0; l < LAYERS; l++)
            forward(&net->layers[l], l > 0 ? net->layers[l - 1].d : net->x);
        for (size_t l = 0; l < LAYERS; l++) {
            dense *now = &net->layers[l];
            if (k == 0) /* nothing has moved */
                begin(now);
            observe(&r[l][k], now, eta);
            if (k > 0)
                step(now, l > 0 ? net->layers[l - 1].d0 : net->x, eta);
        }
        for (size_t l = 0; l < LAYERS; l++)
            keep(&net->layers[l]);
    }
}

/* ---- Images -------------------------------------------------------------------------------- */

ng_mat ska_images(const paper *p, size_t count, int *mnist)
{
    char folder[4096];
    ng_mat x = paper_mat(count, 28 * 28);
    ng_dataset *drawn, *unused = NULL;
    ng_error error = {NG_OK, ""};
    *mnist = images_usual_folder(folder, sizeof folder, &error) == NG_OK;
    paper_must(*mnist ? ng_dataset_mnist(&drawn, &unused, folder, &error)
                      : ng_dataset_digits(&drawn, count, paper_random(p, 1), &error),
               &error);
    /* MNIST's later pictures are by other hands than the first: from all parts */
    for (size_t i = 0, every = ng_dataset_count(drawn) / count; i < count; i++) {
        const size_t index = i * (every > 0 ? every : 1);
        paper_must(
            ng_dataset_gather(drawn, ng_mat_block(x, i, 0, 1, x.cols), NULL, &index, 1, &error),
            &error);
    }
    ng_dataset_destroy(drawn);
    ng_dataset_destroy(unused);
    return x;
}

ng_mat ska_all(const paper *p, int *mnist)
{
    static ng_mat x;
    static int which;
    if (x.data == NULL)
        x = ska_images(p, p->samples, &which);
    *mnist = which;
    return x;
}

/* ---- Records ------------------------------------------------------------------------------- */

size_t ska_least(const pass *r, size_t passes)
{
    size_t least = 1;
    for (size_t k = 1; k < passes; k++)
        least = r[k].h < r[least].h ? k : least;
    return least;
}

void ska_rows(const paper *p, record r, const char *run, double eta, size_t passes)
{
    for (size_t l = 0; l < LAYERS; l++)
        for (size_t k = 1; k < passes; k++) {
            const double share = 1 / (eta * (double)p->samples * (double)ska_widths[l]);
            fprintf(p->rows.to, "%s,%g,%zu,%zu,%g,%.5g,%.5g,%.5g,%.5g\n", run, eta, l + 1, k,
                    eta * (double)k, share * r[l][k].h, share * r[l][k].net,
                    share * r[l][k].net_other, r[l][k].norm);
        }
}
