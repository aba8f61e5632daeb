/* natgrad/esd_monitor.h: the spectra of the weights during training, layer by layer.
 *
 *   ng_esd_monitor watch;
 *   ng_esd_monitor_init(&watch);
 *   watch.interval = 500;
 *   watch.report = write_a_line;        int (const ng_esd_report *, void *data)
 *   ng_optimizer_add_monitor(opt, ng_esd_watch, &watch);
 *
 * Every parameter with at least options.least rows and columns is reported as its weights are after
 * the step, whatever its method; others are not. A report costs an eigendecomposition of the Gram
 * matrix of the smaller side (natgrad/esd.h); weights of sixteen bits are copied to f32 for it. */
#ifndef NATGRAD_ESD_MONITOR_H
#define NATGRAD_ESD_MONITOR_H

#include <natgrad/esd.h>
#include <natgrad/optimizer.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    size_t size; /* sizeof this struct in the library */
    unsigned long long step;
    const ng_group *group;
    size_t index;      /* in its group */
    const char *name;  /* of the parameter */
    const ng_esd *esd; /* for the duration of the call; NULL if there is none */
    ng_status status;  /* NG_OK, or why not: NG_ENOMEM, NG_ERANGE, ... */
    const char *error; /* its text, or "" */
} ng_esd_report;

typedef struct {
    size_t size;            /* set by ng_esd_monitor_init */
    int interval;           /* reports at steps 1, 1 + interval, ...; >= 1, default 1000 */
    ng_esd_options options; /* its defaults; with in_place nothing is reported */
    /* non-zero asks to stop */
    int (*report)(const ng_esd_report *report, void *data);
    void *data; /* the callback's own */
} ng_esd_monitor;

/* The defaults. NG_EARG for NULL, NG_EOPTION for another library's size: nothing written. */
NG_API ng_status ng_esd_monitor_init_sized(ng_esd_monitor *monitor, size_t size);
static inline ng_status ng_esd_monitor_init(ng_esd_monitor *monitor)
{
    return ng_esd_monitor_init_sized(monitor, sizeof *monitor);
}

/* An ng_monitor whose data is an ng_esd_monitor, borrowed; asks to stop when the callback does.
 * Without a callback, or with another size, does nothing. */
NG_API int ng_esd_watch(const ng_event *event, void *monitor);

#ifdef __cplusplus
}
#endif
#endif
