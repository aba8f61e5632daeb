/* Options as functions of the step: a table of shapes. */
#include <natgrad/schedule.h>

#include <math.h>

#include "lib/core/try.h"
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

typedef struct {
    const char *name;
    /* part of the peak at step t >= warmup */
    double (*part)(const ng_schedule *schedule, unsigned long long t);
    int ends; /* reads steps and final */
    const char *doc;
} shape_row;

static const shape_row shapes[] = {
    [NG_SCHEDULE_CONSTANT] = {"constant", constant, 0, "the peak"},
    [NG_SCHEDULE_LINEAR] = {"linear", linear, 1, "straight from the peak to the final value"},
    [NG_SCHEDULE_COSINE] = {"cosine", cosine, 1, "half a cosine from the peak to the final value"},
    [NG_SCHEDULE_INVERSE_SQRT] = {"inverse_sqrt", inverse_sqrt, 0, "one over the root of the step"},
    [NG_SCHEDULE_WSD] = {"wsd", wsd, 1,
                         "the peak, then straight to the final value over the last decay steps"},
};

static const shape_row *find(ng_schedule_shape shape)
{
    size_t i = (size_t)shape;
    return i < sizeof shapes / sizeof shapes[0] ? &shapes[i] : NULL;
}

const char *ng_schedule_shape_name(const char **doc, ng_schedule_shape shape)
{
    const shape_row *row = find(shape);
    if (row != NULL && doc != NULL)
        *doc = row->doc;
    return row != NULL ? row->name : NULL;
}

ng_status ng_schedule_init_sized(ng_schedule *schedule, size_t size)
{
    ng_schedule defaults = {.size = sizeof defaults, .shape = NG_SCHEDULE_CONSTANT, .peak = 1};
    TRY(ngi_check_struct(schedule, size, sizeof defaults));
    *schedule = defaults;
    return NG_OK;
}

static ng_status check(const ng_schedule *s, const shape_row *shape, ng_error *error)
{
    if (shape == NULL)
        return ng_error_set(error, NG_EOPTION, "schedule: unknown shape %d", (int)s->shape);
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
    const shape_row *shape = find(schedule->shape);
    TRY(check(schedule, shape, error));
    *value = schedule->peak * (t < schedule->warmup ? ((double)t + 1) / (double)schedule->warmup
                                                    : shape->part(schedule, t));
    return NG_OK;
}

ng_status ng_group_schedule(ng_group *group, const char *option, const ng_schedule *schedule)
{
    double value;
    if (group == NULL)
        return NG_EARG;
    ng_optimizer *optimizer = group->optimizer;
    TRY(ng_schedule_value(&value, schedule, optimizer->steps, ngi_begin(optimizer)));
    return ng_group_set(group, option, value);
}
