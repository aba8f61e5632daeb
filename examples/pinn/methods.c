/* One run of one method, and the best of several rates. */
#include <math.h>
#include <stdio.h>

#include "examples/pinn/pinn.h"

method method_natural(const char *name)
{
    method m = {.name = name};
    ng_residual_init(&m.natural);
    return m;
}

method method_preset(const char *preset, double lr)
{
    return (method){.name = preset, .preset = preset, .lr = lr};
}

void record(paper *p, const solver *s, const char *name, size_t seed, size_t step, double cpu,
            double error)
{
    fprintf(p->rows.to, "%s,%s,%zu,%zu,%.4f,%.6g,,,,\n", s->of->name, name, seed, step, cpu, error);
}

/* The clock stands still while the error is looked at, ever more rarely. */
outcome solve(solver *s, paper *p, const method *m, size_t seed, double seconds, double goal)
{
    outcome f = {INFINITY, 0, NAN, 0};
    double start = progress_cpu(), next = 0;
    if (m->preset != NULL)
        collocation_preset(&s->c, m->preset, m->lr);
    else
        collocation_natural(&s->c, &m->natural, m->accelerated);
    for (int going = 1; going && !program_interrupted();) {
        f.cpu = progress_cpu() - start;
        going = f.cpu < seconds;
        if (f.cpu >= next || !going) {
            double before = progress_cpu();
            f.error = solver_error(s);
            record(p, s, m->name, seed, f.steps, f.cpu, f.error);
            if (f.error <= goal && isnan(f.reached))
                f.reached = f.cpu;
            start += progress_cpu() - before;
            next = fmax(f.cpu * 1.1, f.cpu + seconds / 200);
            going = going && !(f.error <= goal);
        }
        if (going && s->of->anew && f.steps > 0)
            solver_draw(s);
        if (going)
            f.steps++;
        if (going && !collocation_step(&s->c, f.cpu / seconds) && !s->of->anew)
            seconds = 0; /* nothing lowers the loss any more: the last look */
    }
    return f;
}

outcome solve_best(paper *p, const problem *of, const char *preset, const double *rates,
                   size_t count, size_t seed, double seconds, double *rate)
{
    outcome best = {INFINITY, 0, NAN, 0};
    *rate = NAN;
    for (size_t i = 0; i < count && !program_interrupted(); i++) {
        solver s;
        char name[64];
        method m = method_preset(preset, rates[i]);
        snprintf(name, sizeof name, "%s %g", preset, rates[i]);
        m.name = name;
        solver_open(&s, of, p, seed);
        outcome f = solve(&s, p, &m, seed, seconds, 0);
        solver_close(&s);
        if (f.error < best.error) {
            best = f;
            *rate = rates[i];
        }
    }
    return best;
}
