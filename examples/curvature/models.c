/* The models and the ways to their curvature: two tables. */
#include <string.h>

#include "examples/curvature/curvature.h"
#include "examples/support/progress.h"

const model models[] = {
    {.name = "ising2d",
     .doc = "Ising on the square lattice",
     .dim = 2,
     .critical = NG_ISING_CRITICAL,
     .claim = 10.0 / 9,
     .controls = {0.3, 0.6}},
    {.name = "potts3",
     .doc = "three-state Potts on the square lattice",
     .dim = 2,
     .critical = 1.0050525387423810, /* ln(1 + sqrt 3) */
     .claim = 33.0 / 29},
    {.name = "potts4",
     .doc = "four-state Potts on the square lattice",
     .dim = 2,
     .critical = 1.0986122886681098, /* ln 3 */
     .claim = 22.0 / 19},
    {.name = "ising3d",
     .doc = "Ising on the cubic lattice",
     .dim = 3,
     .critical = 0.2216544,
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

static double fermion_memory(const config *c, size_t length)
{
    (void)c;
    return (double)ng_ising_fermion_memory(length);
}

static ng_status fermion_run(point *p, const config *c, ng_error *error)
{
    ng_lattice_curvature r;
    double start = progress_clock();
    ng_status status = ng_ising_fermion(&r, p->length, p->coupling, c->memory, error);
    p->seconds = progress_clock() - start;
    p->curvature = status == NG_OK ? r.curvature : 0;
    return status;
}

const engine engines[] = {
    {.name = "fermion", .model = "ising2d", .memory = fermion_memory, .run = fermion_run},
    {.name = NULL},
};

const engine *engine_find(const model *m, const char *name, int sampled)
{
    for (const engine *e = engines; e->name != NULL; e++)
        if (strcmp(e->model, m->name) == 0 && e->sampled == sampled &&
            (name == NULL || strcmp(e->name, name) == 0))
            return e;
    return NULL;
}
