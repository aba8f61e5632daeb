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

/* 0 until the decay begins, 1 from the last step on */
static double decayed(const ng_schedule *s, unsigned long long t)
{
    unsigned long long begin = s->steps - s->decay;
    return t <= begin ? 0 : t >= s->steps ? 1 : (double)(t - begin) / (double)s->decay;
}

static double wsd(const ng_schedule *s, unsigned long long t)
{
    return 1 + (s->final - 1) * decayed(s, t);
}

static double wsd_sqrt(const ng_schedule *s, unsigned long long t)
{
    return s->final + (1 - s->final) * (1 - sqrt(decayed(s, t)));
}

/* With growth > 1 period k begins at P (growth^k - 1) / (growth - 1). */
static double cosine_restarts(const ng_schedule *s, unsigned long long t)
{
    unsigned long long period = s->period > 0 ? s->period : s->steps - s->warmup;
    double x = (double)(t - s->warmup) / (double)period, length = 1;
    if (s->growth > 1) {
        double k = floor(log1p(x * (s->growth - 1)) / log(s->growth));
        length = pow(s->growth, k);
        x -= (length - 1) / (s->growth - 1);
        if (x >= length) { /* rounding: it is the next one's first step */
            x -= length;
            length *= s->growth;
        }
    } else
        x -= floor(x);
    return s->final + (1 - s->final) * 0.5 * (1 + cos(acos(-1) * fmax(0, x) / length));
}

static double piecewise(const ng_schedule *s, unsigned long long t)
{
    double factor = 1;
    for (size_t i = 0; i < s->piece_count && s->pieces[i].begin <= t; i++)
        factor = s->pieces[i].factor;
    return factor;
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
    [NG_SCHEDULE_WSD_SQRT] = {"wsd_sqrt", wsd_sqrt, 1, "the same along one minus a square root"},
    [NG_SCHEDULE_COSINE_RESTARTS] = {"cosine_restarts", cosine_restarts, 0,
                                     "half cosines over one period after the other"},
    [NG_SCHEDULE_PIECEWISE] = {"piecewise", piecewise, 0, "a factor for each piece"},
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
    ng_schedule defaults = {.size = sizeof defaults, .shape = NG_SCHEDULE_CONSTANT, .peak = 1, .growth = 1};
    TRY(ngi_check_struct(schedule, size, sizeof defaults));
    *schedule = defaults;
    return NG_OK;
}

static ng_status check_restarts(const ng_schedule *s, ng_error *error)
{
    if (s->period == 0 && s->steps <= s->warmup)
        return ng_error_set(error, NG_EOPTION,
                            "schedule: neither a period nor steps beyond warmup %llu", s->warmup);
    if (!(s->growth >= 1 && isfinite(s->growth)))
        return ng_error_set(error, NG_EOPTION, "schedule: growth %g is not a number >= 1",
                            s->growth);
    return NG_OK;
}

static ng_status check_pieces(const ng_schedule *s, ng_error *error)
{
    if (s->pieces == NULL && s->piece_count > 0)
        return ng_error_set(error, NG_EOPTION, "schedule: pieces are NULL");
    for (size_t i = 0; i < s->piece_count; i++) {
        if (!(s->pieces[i].factor >= 0 && isfinite(s->pieces[i].factor)))
            return ng_error_set(error, NG_EOPTION, "schedule: factor %g is not a number >= 0",
                                s->pieces[i].factor);
        if (i > 0 && s->pieces[i].begin <= s->pieces[i - 1].begin)
            return ng_error_set(error, NG_EOPTION, "schedule: piece %zu does not begin later", i);
    }
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
    if ((shape->part == wsd || shape->part == wsd_sqrt) && (s->decay < 1 || s->decay > s->steps - s->warmup))
        return ng_error_set(error, NG_EOPTION, "schedule: decay %llu is not in 1 ... %llu",
                            s->decay, s->steps - s->warmup);
    if (shape->part == cosine_restarts)
        return check_restarts(s, error);
    return shape->part == piecewise ? check_pieces(s, error) : NG_OK;
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

ng_status ng_optimizer_schedule(ng_optimizer *optimizer, const ng_schedule *schedule)
{
    double value;
    if (optimizer == NULL)
        return NG_EARG;
    TRY(ng_schedule_value(&value, schedule, optimizer->steps, ngi_begin(optimizer)));
    return ng_optimizer_set_multiplier(optimizer, value);
}
