/* natgrad/schedule.h: an option of a group as a function of the step, for
 * learning rates above all.
 *
 *   ng_schedule lr;
 *   ng_schedule_init(&lr);
 *   lr.shape = NG_SCHEDULE_COSINE, lr.peak = 0.02, lr.warmup = 100, lr.steps = 2000;
 *   for (;;) {
 *       ... forward, backward ...
 *       ng_group_schedule(hidden, "lr", &lr);     before the step
 *       ng_optimizer_step(opt);
 *   }
 *
 * The value belongs to the step the optimizer makes next (ng_optimizer_steps),
 * so that a run that is stopped and resumed goes on where it was. Each group
 * has schedules of its own; nothing is kept between calls. */
#ifndef NATGRAD_SCHEDULE_H
#define NATGRAD_SCHEDULE_H

#include <natgrad/optimizer.h>

#ifdef __cplusplus
extern "C" {
#endif

/* With t = 0, 1, ... the steps done, w = warmup, T = steps, f = final, the
 * value is peak times
 *
 *   (t + 1) / w                                     while t < w, whatever the shape; then
 *   constant       1
 *   linear         1 + (f - 1) s                    s = (t - w) / (T - w), 1 from t = T on
 *   cosine         f + (1 - f) (1 + cos(pi s)) / 2  (Loshchilov & Hutter 2017, one period)
 *   inverse_sqrt   sqrt(max(w, 1) / (t + 1))        (Vaswani et al. 2017); T and f are not read
 *   wsd            1 until t = T - decay, then linearly to f at T (warm-up, stable, decay;
 *                  Hu et al. 2024)
 *   wsd_sqrt       the same with f + (1 - f) (1 - sqrt(s)), s = (t - T + decay) / decay, in place
 *                  of the line (Hagele et al. 2024)
 *   cosine_restarts
 *                  f + (1 - f) (1 + cos(pi s)) / 2 with s from 0 to 1 over `period` steps, over and
 *                  over, each period `growth` times as long as the one before (Loshchilov & Hutter
 *                  2017); T is read where the period is 0
 *   piecewise      the factor of the last piece that has begun, 1 before the first; T and f are
 *                  not read */
typedef enum {
    NG_SCHEDULE_CONSTANT = 0,
    NG_SCHEDULE_LINEAR = 1,
    NG_SCHEDULE_COSINE = 2,
    NG_SCHEDULE_INVERSE_SQRT = 3,
    NG_SCHEDULE_WSD = 4,
    NG_SCHEDULE_WSD_SQRT = 5,
    NG_SCHEDULE_COSINE_RESTARTS = 6,
    NG_SCHEDULE_PIECEWISE = 7
} ng_schedule_shape;

/* From step t = begin on the value is factor times the peak. */
typedef struct {
    unsigned long long begin;
    double factor; /* >= 0 and finite */
} ng_schedule_piece;

/* "constant", "linear", ...; NULL for any other value, so that counting from 0 finds them all.
 * *doc (may be NULL) is one line about it. Static strings. */
NG_API const char *ng_schedule_shape_name(const char **doc, ng_schedule_shape shape);

typedef struct {
    size_t size;               /* set by ng_schedule_init */
    ng_schedule_shape shape;   /* default NG_SCHEDULE_CONSTANT */
    double peak;               /* >= 0 and finite; default 1 */
    double final;              /* f, 0 ... 1, part of the peak; default 0 */
    unsigned long long warmup; /* default 0 */
    unsigned long long steps;  /* of the whole run; > warmup for linear, cosine, wsd, wsd_sqrt;
                                  default 0 */
    unsigned long long decay;  /* wsd, wsd_sqrt: the last so many steps, 1 ... steps - warmup */
    unsigned long long period; /* cosine_restarts: steps of the first; 0 (default): all of the run */
    double growth;             /* cosine_restarts: >= 1 and finite; default 1 */
    const ng_schedule_piece *pieces; /* piecewise: the caller's, begins ascending; default NULL */
    size_t piece_count;
} ng_schedule;

NG_API ng_status ng_schedule_init_sized(ng_schedule *schedule, size_t size);
static inline ng_status ng_schedule_init(ng_schedule *schedule)
{
    return ng_schedule_init_sized(schedule, sizeof *schedule);
}

/* *value at step t. NG_EOPTION with a text that names the field. */
NG_API ng_status ng_schedule_value(double *value, const ng_schedule *schedule, unsigned long long t,
                                   ng_error *error);

/* ng_group_set of that option (lr, damping, momentum, ...) to the value for the next step. On an
 * error (also NG_EOPTION for a value the option refuses) nothing has changed and the text is
 * ng_optimizer_error. */
NG_API ng_status ng_group_schedule(ng_group *group, const char *option,
                                   const ng_schedule *schedule);

/* ng_optimizer_set_multiplier to the value for the next step: one schedule over those of all
 * groups. As ng_group_schedule. */
NG_API ng_status ng_optimizer_schedule(ng_optimizer *optimizer, const ng_schedule *schedule);

#ifdef __cplusplus
}
#endif
#endif
