/* The models and the ways to their curvature: two tables. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "examples/curvature/curvature.h"
#include "examples/support/program.h"
#include "examples/support/progress.h"

const model models[] = {
    {.name = "ising2d",
     .doc = "Ising on the square lattice",
     .lattice = NG_LATTICE_ISING2D,
     .sizes = "3..9,10,12,14,16,20,24,32",
     .claim = 10.0 / 9,
     .controls = {0.3, 0.6}},
    {.name = "potts3",
     .doc = "three-state Potts on the square lattice",
     .lattice = NG_LATTICE_POTTS3,
     .sizes = "3..6",
     .claim = 33.0 / 29},
    {.name = "potts4",
     .doc = "four-state Potts on the square lattice",
     .lattice = NG_LATTICE_POTTS4,
     .sizes = "3..5",
     .claim = 22.0 / 19},
    {.name = "ising3d",
     .doc = "Ising on the cubic lattice",
     .lattice = NG_LATTICE_ISING3D,
     .sizes = "3",
     .claim = 1.019},
    {.name = NULL},
};

const model *model_find(const char *name)
{
    for (const model *m = models; m->name != NULL; m++)
        if (strcmp(m->name, name) == 0)
            return m;
    return NULL;
}

static ng_lattice lattice_of(const config *c, size_t length)
{
    return (ng_lattice){c->model->lattice, length, c->coupling};
}

/* ---- Exact engines ------------------------------------------------------------ */

static int square_ising(const model *m)
{
    return m->lattice == NG_LATTICE_ISING2D;
}

static int square(const model *m)
{
    return ng_lattice_dimension(m->lattice) == 2;
}

static int any(const model *m)
{
    return m != NULL;
}

static size_t fermion_memory(const config *c, size_t length)
{
    size_t ranks = c->exchange != NULL ? (size_t)c->exchange->ranks : 1;
    return ng_ising_fermion_memory(length, ranks, NG_ISING_PASSES); /* the least */
}

static void take(point *p, const ng_lattice_curvature *r)
{
    p->curvature = r != NULL ? r->curvature : 0;
    p->error = r != NULL ? r->rounding : 0;
}

static ng_status fermion_run(point *p, const config *c, ng_error *error)
{
    ng_lattice_curvature r;
    ng_status status =
        ng_ising_fermion_shared(&r, p->length, p->coupling, c->memory, c->exchange, error);
    take(p, status == NG_OK ? &r : NULL);
    return status;
}

/* The tables and then their contraction, which begins when the engine's own
 * memory is free again. */
static size_t peak(const config *c, size_t length, size_t making)
{
    size_t d = ng_lattice_dimension(c->model->lattice);
    size_t contraction = ng_cumulants_curvature_memory(d, length);
    double tables = 8 * pow((double)d, 3) * pow((double)length, 2.0 * (double)d);
    double both = (double)contraction + 2 * tables; /* and the small ones */
    return making == SIZE_MAX || both > 1e18 ? SIZE_MAX
           : (double)making > both           ? making
                                             : (size_t)both;
}

static size_t transfer_memory(const config *c, size_t length)
{
    ng_lattice l = lattice_of(c, length);
    return peak(c, length, ng_lattice_transfer_memory(&l));
}

static size_t enumerate_memory(const config *c, size_t length)
{
    ng_lattice l = lattice_of(c, length);
    return peak(c, length, ng_lattice_enumerate_memory(&l));
}

static ng_status contract(point *p, const config *c, ng_error *error,
                          ng_status (*tables)(ng_cumulants *, const ng_lattice *, size_t,
                                              ng_error *))
{
    ng_cumulants cumulants;
    ng_lattice_curvature r;
    ng_lattice l = {c->model->lattice, p->length, p->coupling};
    ng_status status = tables(&cumulants, &l, c->memory, error);
    if (status == NG_OK)
        status = ng_cumulants_curvature(&r, &cumulants, error);
    take(p, status == NG_OK ? &r : NULL);
    ng_cumulants_destroy(&cumulants);
    return status;
}

static ng_status transfer_run(point *p, const config *c, ng_error *error)
{
    return contract(p, c, error, ng_lattice_transfer);
}

static ng_status enumerate_run(point *p, const config *c, ng_error *error)
{
    return contract(p, c, error, ng_lattice_enumerate);
}

/* ---- Monte Carlo -------------------------------------------------------------- */

static int watch(void *data, size_t done, size_t total)
{
    progress *bar = data;
    (void)total;
    progress_update(bar, (double)done, "samples");
    return program_interrupted();
}

static int ising(const model *m)
{
    return ng_lattice_states(m->lattice) == 2;
}

size_t samples_least(const config *c, size_t length)
{
    double n = pow((double)length, (double)ng_lattice_dimension(c->model->lattice));
    return 20 * n * n < 1e18 ? (size_t)(20 * n * n) : SIZE_MAX;
}

size_t samples_of(const config *c, size_t length)
{
    return c->samples > 0 ? c->samples : samples_least(c, length);
}

static ng_wolff_options wolff(const config *c, size_t length)
{
    ng_wolff_options o;
    ng_wolff_init(&o);
    o.lattice = lattice_of(c, length);
    o.samples = samples_of(c, length);
    o.flips = c->flips;
    o.threads = c->threads;
    o.seed = c->seed;
    o.memory = c->memory;
    o.exchange = c->exchange;
    return o;
}

static size_t mc_memory(const config *c, size_t length)
{
    ng_wolff_options o = wolff(c, length);
    return ng_wolff_memory(&o);
}

static ng_status mc_run(point *p, const config *c, ng_error *error)
{
    char label[40], path[4200];
    progress bar;
    ng_wolff_options o = wolff(c, p->length);
    if (c->checkpoint != NULL) { /* one file a size */
        snprintf(path, sizeof path, "%.4096s-L%zu", c->checkpoint, p->length);
        o.checkpoint = path;
    }
    snprintf(label, sizeof label, "L = %zu", p->length);
    progress_start(&bar, label, (double)o.samples, "samples");
    o.progress = watch;
    o.data = &bar;
    ng_status status = ng_wolff_run(&p->mc, &o, error);
    progress_end(&bar);
    if (status != NG_OK)
        return status;
    p->curvature = p->mc.corrected;
    p->error = p->mc.sigma;
    double chain = (double)p->mc.samples / (double)o.chains, tau = p->mc.tau_energy;
    tau = tau > p->mc.tau_mode ? tau : p->mc.tau_mode;
    if (chain < 50 * tau)
        program_error("L = %zu: chains of %.0f samples are short against tau = %.3g", p->length,
                      chain, tau);
    return NG_OK;
}

const engine engines[] = {
    {"fermion", "free fermions: ising2d", 0, square_ising, fermion_memory, fermion_run},
    {"transfer", "transfer matrix: ising2d, potts3, potts4", 0, square, transfer_memory,
     transfer_run},
    {"enumerate", "all states: any model, small L", 0, any, enumerate_memory, enumerate_run},
    {"mc", "Wolff's clusters: ising2d, ising3d; sizes of --mc", 1, ising, mc_memory, mc_run},
    {.name = NULL},
};

const engine *engine_find(const model *m, const char *name, int sampled)
{
    for (const engine *e = engines; e->name != NULL; e++)
        if (e->suits(m) && e->sampled == sampled && (name == NULL || strcmp(e->name, name) == 0))
            return e;
    return NULL;
}
