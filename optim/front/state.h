/* What an optimizer keeps from one step to the next, one item after the other. */
#ifndef NGI_STATE_H
#define NGI_STATE_H

#include <natgrad/average.h>
#include <natgrad/checkpoint.h>

#include "optim/front/front.h"

/* Slot i < ngi_state_slots of the parameter's state: its name and view, or NULL where the
 * slot is empty. summed: are micro-batches accumulated? */
const char *ngi_state_slot(const ngi_param *param, size_t slot, int summed, ng_mat *view);
static inline size_t ngi_state_slots(const ngi_param *param)
{
    return param->tensor_count + 2;
}

/* NG_ENONFINITE (NaN or infinity) or NG_ERANGE (not what such a tensor may hold), with its name. */
ng_status ngi_legal_check(ngi_legal legal, ng_mat m, const char *name, ng_error *error);

/* The counts are such as an optimizer with these parameters may have; then its sums are allocated
 * if they are asked for. */
ng_status ngi_counts_check(ng_optimizer *optimizer, const double *counts, size_t size);
/* of checked counts */
void ngi_counts_take(ng_optimizer *optimizer, const double *counts);

/* ---- Averages ---------------------------------------------------------------------------- */

/* What a checkpoint asks of an average, whose struct begins with a pointer to it. */
typedef struct {
    ng_status (*tensor)(ng_average *average, const char **parameter, const char **name,
                        ng_mat *view, size_t index, ng_error *error);
    unsigned long long (*count)(const ng_average *average);
    double (*decay)(const ng_average *average);
    ng_status (*set)(ng_average *average, unsigned long long count, double decay, ng_error *error);
} ngi_average_table;

static inline const ngi_average_table *ngi_average_calls(const ng_average *average)
{
    return *(const ngi_average_table *const *)(const void *)average;
}

#endif
