/* liblbfgs (Okazaki; Nocedal's L-BFGS) as a peer, where configure found it. */
#ifdef HAVE_LBFGS
#include <lbfgs.h>
#endif
#include <math.h>

#include "examples/pinn/pinn.h"

#ifdef HAVE_LBFGS
typedef struct {
    solver *s;
    paper *p;
    size_t seed;
    double start, seconds, next;
    outcome f;
} run;

static lbfgsfloatval_t evaluate(void *instance, const lbfgsfloatval_t *w, lbfgsfloatval_t *g,
                                const int n, const lbfgsfloatval_t step)
{
    run *r = instance;
    (void)step;
    for (int i = 0; i < n; i++)
        ng_mat_set(r->s->c.w, 0, (size_t)i, w[i]);
    double loss = collocation_gradient(&r->s->c, r->s->c.w);
    for (int i = 0; i < n; i++)
        g[i] = ng_mat_get(r->s->c.g, 0, (size_t)i);
    return isfinite(loss) ? loss : 1e300;
}

static int look(void *instance, const lbfgsfloatval_t *w, const lbfgsfloatval_t *g,
                const lbfgsfloatval_t loss, const lbfgsfloatval_t w_norm,
                const lbfgsfloatval_t g_norm, const lbfgsfloatval_t step, int n, int k, int tries)
{
    run *r = instance;
    double now = progress_cpu();
    (void)g, (void)loss, (void)w_norm, (void)g_norm, (void)step, (void)tries;
    r->f.cpu = now - r->start;
    r->f.steps = (size_t)k;
    if (r->f.cpu < r->next && r->f.cpu < r->seconds)
        return program_interrupted();
    for (int i = 0; i < n; i++)
        ng_mat_set(r->s->c.w, 0, (size_t)i, w[i]);
    r->f.error = solver_error(r->s);
    record(r->p, r->s, "lbfgs", r->seed, r->f.steps, r->f.cpu, r->f.error);
    r->next = fmax(r->f.cpu * 1.1, r->f.cpu + r->seconds / 200);
    r->start += progress_cpu() - now;
    return r->f.cpu >= r->seconds || program_interrupted();
}

outcome solve_lbfgs(solver *s, paper *p, size_t seed, double seconds)
{
    run r = {s, p, seed, progress_cpu(), seconds, 0, {NAN, 0, NAN, 0}};
    lbfgs_parameter_t o;
    lbfgsfloatval_t loss, *w = lbfgs_malloc((int)s->c.n);
    if (w == NULL)
        return r.f;
    lbfgs_parameter_init(&o);
    o.m = 50;
    o.epsilon = 0;
    o.max_linesearch = 40;
    for (size_t i = 0; i < s->c.n; i++)
        w[i] = ng_mat_get(s->c.w, 0, i);
    lbfgs((int)s->c.n, w, &loss, evaluate, look, &r, &o);
    for (size_t i = 0; i < s->c.n; i++)
        ng_mat_set(s->c.w, 0, i, w[i]);
    lbfgs_free(w);
    r.f.error = solver_error(s);
    return r.f;
}
#else
outcome solve_lbfgs(solver *s, paper *p, size_t seed, double seconds)
{
    (void)s, (void)p, (void)seed, (void)seconds;
    return (outcome){NAN, 0, NAN, 0};
}
#endif
