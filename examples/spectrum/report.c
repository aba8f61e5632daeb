/* The table on the terminal, spectrum.csv and esd.csv. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "examples/spectrum/spectrum.h"

static const char *const outcomes[LAYER_KINDS] = {
    [LAYER_MEASURED] = "measured", [LAYER_STATE] = "state of an optimizer",
    [LAYER_VECTOR] = "vector",     [LAYER_SMALL] = "too small",
    [LAYER_OTHER] = "other dtype", [LAYER_BAD] = "failed",
    [LAYER_LEFT] = "interrupted"};

static const char header[] =
    "layer,outcome,dtype,n,m,alpha,sigma,ks,xmin,spikes,alpha_hat,log_alpha_norm,log_norm,"
    "log_spectral_norm,stable_rank,lambda_max,erg_count,erg_lambda,gap,kappa1,kappa2,kappa3,kappa4,"
    "kappa5,mp_scale,mp_edge,mp_spikes,mp_soft_rank,random_lambda_max,random_soft_rank,distance,"
    "traps";

static void put(FILE *to, double value)
{
    if (isnan(value))
        fputc(',', to); /* missing */
    else
        fprintf(to, ",%.9g", value);
}

static void put_measures(FILE *to, const ng_esd *e, int compared)
{
    const double first[] = {
        e->tail.alpha,          e->tail.sigma,  e->tail.ks,        e->tail.xmin,
        (double)e->tail.spikes, e->alpha_hat,   e->log_alpha_norm, e->log_norm,
        e->log_spectral_norm,   e->stable_rank, e->lambda_max,     (double)e->erg.count,
        e->erg.lambda,          e->erg.gap};
    const ng_esd_bulk *b = &e->bulk;
    const double second[] = {b->scale,
                             b->edge,
                             compared ? (double)b->spikes : (double)NAN,
                             b->soft_rank,
                             b->largest,
                             b->random_soft_rank,
                             b->distance,
                             compared ? (double)b->traps : (double)NAN};
    for (size_t i = 0; i < sizeof first / sizeof *first; i++)
        put(to, first[i]);
    for (size_t i = 0; i < 5; i++)
        put(to, e->erg.cumulants[i]);
    for (size_t i = 0; i < sizeof second / sizeof *second; i++)
        put(to, second[i]);
    fputc('\n', to);
}

static void put_rows(FILE *to, const model *m, const config *c)
{
    for (size_t i = 0; i < m->count; i++) {
        const layer *l = &m->layer[i];
        put_cell(to, l->tensor->name);
        fprintf(to, ",%s,%s,%zu,%zu", outcomes[l->kind], ng_tensor_dtype_name(l->tensor->dtype),
                l->rows > l->cols ? l->rows : l->cols, l->rows > l->cols ? l->cols : l->rows);
        if (l->kind == LAYER_MEASURED)
            put_measures(to, &l->esd, !c->plain);
        else
            fprintf(to, "%.27s\n", ",,,,,,,,,,,,,,,,,,,,,,,,,,,");
    }
}

static void put_values(FILE *to, const model *m)
{
    for (size_t i = 0; i < m->count; i++)
        for (size_t k = 0; m->layer[i].kind == LAYER_MEASURED && k < m->layer[i].esd.m; k++) {
            put_cell(to, m->layer[i].tensor->name);
            fprintf(to, ",%.9g\n", m->layer[i].values[k]);
        }
}

/* ---- The terminal -----------------------------------------------------------------------------
 */

/* The end of a name says more than its beginning. */
static const char *end_of(char text[SHOWN], const char *name)
{
    size_t size = strlen(name);
    return shown(text, size < SHOWN ? name : name + size - (SHOWN - 1));
}

static void print_count(size_t count, double missing)
{
    if (isnan(missing))
        printf(" %6s", "-");
    else
        printf(" %6zu", count);
}

static void print_layers(const model *m)
{
    char name[SHOWN];
    printf("%-24s %13s %6s %6s %6s %7s %8s %7s %7s %6s %6s\n", "layer", "N x M", "alpha", "sigma",
           "KS", "alpha^", "stable", "spikes", "gap", "edge+", "traps");
    for (size_t i = 0; i < m->count; i++) {
        const layer *l = &m->layer[i];
        const ng_esd *e = &l->esd;
        char size[48];
        if (l->kind != LAYER_MEASURED)
            continue;
        snprintf(size, sizeof size, "%zux%zu", e->n, e->m);
        printf("%-24s %13s %6.2f %6.2f %6.3f %7.2f %8.2f %7zu %7.3f", end_of(name, l->tensor->name),
               size, e->tail.alpha, e->tail.sigma, e->tail.ks, e->alpha_hat, e->stable_rank,
               e->tail.spikes, e->erg.gap);
        print_count(e->bulk.spikes, e->bulk.scale);
        print_count(e->bulk.traps, e->bulk.scale);
        printf("\n");
    }
}

/* What is not in the table, and why. */
static void print_left_out(const model *m)
{
    size_t count[LAYER_KINDS] = {0};
    const char *between = "\nnot in the table:";
    for (size_t i = 0; i < m->count; i++)
        count[m->layer[i].kind]++;
    for (int k = LAYER_STATE; k < LAYER_KINDS; k++)
        if (count[k] > 0) {
            printf("%s %zu %s", between, count[k], outcomes[k]);
            between = ",";
        }
    if (between[0] == ',')
        printf("\n");
}

static void print_summary(const model *m)
{
    size_t over = 0, under = 0, fitted = 0;
    double alpha = 0, hat = 0, gap = 0, norm = 0;
    for (size_t i = 0; i < m->count; i++) {
        const ng_esd *e = &m->layer[i].esd;
        if (m->layer[i].kind != LAYER_MEASURED || isnan(e->tail.alpha))
            continue;
        fitted++;
        over += e->tail.alpha < 2;
        under += e->tail.alpha > 6;
        alpha += e->tail.alpha;
        hat += e->alpha_hat;
        gap += e->erg.gap;
        norm += e->log_norm;
    }
    if (fitted > 0)
        printf("\n%zu over-trained (alpha < 2), %zu under-trained (alpha > 6), %zu between\n", over,
               under, fitted - over - under);
    const double n = (double)fitted;
    printf("final layers=%zu alpha=%.6g alpha_hat=%.6g gap=%.6g log_norm=%.6g over=%zu under=%zu\n",
           m->measured, alpha / n, hat / n, gap / n, norm / n, over, under);
}

/* ---- All of it --------------------------------------------------------------------------------
 */

static int leave(const model *m, const config *c)
{
    table t, values = {NULL};
    int status = table_open(&t, c->out, "spectrum", header);
    if (status == 0)
        status = table_open(&values, c->out, "esd", "layer,eigenvalue");
    if (status == 0) {
        put_rows(t.to, m, c);
        put_values(values.to, m);
        status = table_save(&t);
    }
    if (status == 0)
        status = table_save(&values);
    if (status == 0 && m->measured > 0)
        status = picture_depth(m, &t);
    if (status == 0 && m->measured > 0)
        status = picture_esd(m, &values);
    table_free(&t);
    table_free(&values);
    return status;
}

int report(const model *m, const config *c)
{
    if (m->measured > 0)
        print_layers(m);
    print_left_out(m);
    int status = leave(m, c);
    if (status != 0)
        return status;
    if (m->measured == 0 && !program_interrupted())
        return program_error("%s: there is no layer to look at among its %zu tensors", c->model,
                             m->count);
    print_summary(m);
    return 0;
}
