/* Options as functions of the step: a table of shapes. */
#include <natgrad/schedule.h>

#include <math.h>
#include <string.h>

#include "optim/front/front.h"

static double constant(const ng_schedule *s, unsigned long long t)
{
    (void)s, (void)t;
    return 1;
}

/* 0 at the first step after the warm-up, 1 from the last on */
static double progress(const ng_schedule *s, unsigned long long t)
{
    return t >= s->steps ? 1 : (double)(t - s->warmup) / (double)(s->steps - s->warmup);
}

static double linear(const ng_schedule *s, unsigned long long t)
{
    return 1 + (s->final - 1) * progress(s, t);
}

static double cosine(const ng_schedule *s, unsigned long long t)
{
    double half_turn = acos(-1) * progress(s, t);
    return s->final + (1 - s->final) * 0.5 * (1 + cos(half_turn));
}

static double inverse_sqrt(const ng_schedule *s, unsigned long long t)
{
    double start = s->warmup > 0 ? (double)s->warmup : 1;
    return sqrt(start / ((double)t + 1));
}

static double wsd(const ng_schedule *s, unsigned long long t)
{
    unsigned long long begin = s->steps - s->decay;
    if (t <= begin)
        return 1;
    double part = t >= s->steps ? 1 : (double)(t - begin) / (double)s->decay;
    return 1 + (s->final - 1) * part;
}

const ng_schedule_shape ng_schedule_shapes[] = {
    {"constant", constant, 0, "the peak"},
    {"linear", linear, 1, "straight from the peak to the final value"},
    {"cosine", cosine, 1, "half a cosine from the peak to the final value"},
    {"inverse_sqrt", inverse_sqrt, 0, "one over the root of the step"},
    {"wsd", wsd, 1, "the peak, then straight to the final value over the last decay steps"},
    {NULL, NULL, 0, NULL},
};

void ng_schedule_init(ng_schedule *schedule)
{
    ng_schedule defaults = {.size = sizeof defaults, .shape = "constant", .peak = 1};
    *schedule = defaults;
}

static const ng_schedule_shape *find(const char *name)
{
    for (const ng_schedule_shape *shape = ng_schedule_shapes; shape->name != NULL; shape++)
        if (name != NULL && strcmp(shape->name, name) == 0)
            return shape;
    return NULL;
}

static ng_status check(const ng_schedule *s, const ng_schedule_shape *shape, ng_error *error)
{
    if (shape == NULL)
        return ng_error_set(error, NG_EOPTION, "schedule: unknown shape '%.60s'",
                            s->shape != NULL ? s->shape : "(null)");
    if (!(s->peak >= 0 && isfinite(s->peak)))
        return ng_error_set(error, NG_EOPTION, "schedule: peak %g is not a number >= 0", s->peak);
    if (!(s->final >= 0 && s->final <= 1))
        return ng_error_set(error, NG_EOPTION, "schedule: final %g is not in 0 ... 1", s->final);
    if (shape->ends && s->steps <= s->warmup)
        return ng_error_set(error, NG_EOPTION, "schedule: steps %llu do not exceed warmup %llu",
                            s->steps, s->warmup);
    if (shape->part == wsd && (s->decay < 1 || s->decay > s->steps - s->warmup))
        return ng_error_set(error, NG_EOPTION, "schedule: decay %llu is not in 1 ... %llu",
                            s->decay, s->steps - s->warmup);
    return NG_OK;
}

ng_status ng_schedule_value(double *value, const ng_schedule *schedule, unsigned long long t,
                            ng_error *error)
{
    if (value == NULL || schedule == NULL)
        return ng_error_set(error, NG_EARG, "schedule: NULL argument");
    if (schedule->size != sizeof *schedule)
        return ng_error_set(error, NG_EOPTION, "schedule: size %zu, expected %zu", schedule->size,
                            sizeof *schedule);
    const ng_schedule_shape *shape = find(schedule->shape);
    ng_status status = check(schedule, shape, error);
    if (status == NG_OK)
        *value = schedule->peak * (t < schedule->warmup ? ((double)t + 1) / (double)schedule->warmup
                                                        : shape->part(schedule, t));
    return status;
}

ng_status ng_group_schedule(ng_group *group, const char *option, const ng_schedule *schedule)
{
    double value;
    if (group == NULL)
        return NG_EARG;
    ng_optimizer *optimizer = group->optimizer;
    ng_status status = ng_schedule_value(&value, schedule, optimizer->steps, &optimizer->error);
    return status == NG_OK ? ng_group_set(group, option, value) : status;
}
