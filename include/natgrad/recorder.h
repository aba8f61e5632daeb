/* natgrad/recorder.h: what happens in a training, as lines of CSV (RFC 4180).
 *
 *   ng_recorder recorder;
 *   ng_recorder_init(&recorder);
 *   recorder.write = append;      int append(const char *text, size_t length, void *file)
 *   recorder.data = file;         { return fwrite(text, 1, length, file) != length; }
 *   ng_optimizer_add_monitor(opt, ng_recorder_monitor, &recorder);
 *
 * Columns: step, name (of the parameter, empty for the whole step), method, lr,
 * gradient_norm, update_norm, seconds, route, rank, orthogonality_error, condition,
 * stale, clip_factor: the fields of ng_event. Numbers have 9 digits and a decimal
 * point whatever the locale. */
#ifndef NATGRAD_RECORDER_H
#define NATGRAD_RECORDER_H

#include <natgrad/optimizer.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    size_t size; /* set by ng_recorder_init */
    /* Takes a line, its end of line included. Non-zero: it could not, and
     * the optimizer is asked to stop. */
    int (*write)(const char *text, size_t length, void *data);
    void *data;
    int steps_only;           /* 1: no lines for parameters. Default 0. */
    unsigned long long every; /* >= 1: steps that are multiples of it. Default 1. */
    int begun;                /* the line of names was written; 1 beforehand to append */
} ng_recorder;

NG_API ng_status ng_recorder_init_sized(ng_recorder *recorder, size_t size);
static inline ng_status ng_recorder_init(ng_recorder *recorder)
{
    return ng_recorder_init_sized(recorder, sizeof *recorder);
}

/* An ng_monitor; data is an ng_recorder that lives as long as the optimizer. The line of names
 * comes before the first. Allocates nothing; of names longer than 200 bytes the beginning. Without
 * write, or with another size, does nothing. */
NG_API int ng_recorder_monitor(const ng_event *event, void *data);

#ifdef __cplusplus
}
#endif
#endif
