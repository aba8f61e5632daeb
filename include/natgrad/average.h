/* natgrad/average.h: a running average of all weights of an optimizer, to
 * evaluate or to save instead of the last ones.
 *
 *   ng_average *average;
 *   ng_average_create(&average, opt, 0.999, &error);
 *   for (;;) {
 *       ... ng_optimizer_step(opt);
 *       ng_average_update(average, &error);
 *   }
 *   ng_average_swap(average, &error);      the caller's arrays hold the average
 *   ... evaluate ...
 *   ng_average_swap(average, &error);      and the weights again, bit for bit
 *
 * ng_checkpoint_options.average saves it with the optimizer and restores it. */
#ifndef NATGRAD_AVERAGE_H
#define NATGRAD_AVERAGE_H

#include <natgrad/optimizer.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ng_average ng_average;

/* Of all parameters (and biases) the optimizer has now; it must outlive the
 * average. After the k-th update the average A_k of weights W_k is
 *
 *   A_k <- A_{k-1} + max(1 - decay, 1 / k) (W_k - A_{k-1})
 *
 * decay = 1: the plain mean of all updates (stochastic weight averaging; Izmailov et al. 2018).
 * decay < 1, 0 <= decay: exponential moving average; the first steps, plain means, leave no start
 * bias. Memory: one copy of the weights, in their dtype. NG_EARG, NG_EOPTION (decay), NG_ENODATA
 * (no parameters), NG_ENOMEM. */
NG_API ng_status ng_average_create(ng_average **average, const ng_optimizer *optimizer,
                                   double decay, ng_error *error);

/* NULL is fine. An average that is swapped in leaves the caller with the average. */
NG_API void ng_average_destroy(ng_average *average);

/* Takes the present weights in. NG_EARG while swapped in, or after a parameter was added;
 * NG_ENONFINITE, and NG_ERANGE where the average would leave the dtype, name the parameter; then
 * nothing was taken. */
NG_API ng_status ng_average_update(ng_average *average, ng_error *error);

/* Updates taken. */
NG_API unsigned long long ng_average_count(const ng_average *average);

/* Exchanges average and weights, in the caller's arrays. Steps between two swaps
 * would train the average: they are the caller's mistake, not detected. NG_ENODATA
 * before the first update; NG_EARG after a parameter was added. */
NG_API ng_status ng_average_swap(ng_average *average, ng_error *error);

/* 1 while the caller's arrays hold the average. */
NG_API int ng_average_swapped(const ng_average *average);

/* Tensor `index` = 0, 1, ... of the average: its parameter's name, "average" or "bias_average"
 * (1 x outputs), and a dense view that may be read and written while the average lives. NG_ENODATA
 * past the last; NG_EARG while swapped in or after a parameter was added. */
NG_API ng_status ng_average_tensor(ng_average *average, const char **parameter, const char **name,
                                   ng_mat *view, size_t index, ng_error *error);

NG_API double ng_average_decay(const ng_average *average);

/* For who has written the tensors: as of `count` updates, and with that decay from now on. NG_EARG
 * (swapped in), NG_EOPTION (decay). */
NG_API ng_status ng_average_set(ng_average *average, unsigned long long count, double decay,
                                ng_error *error);

/* The average of `count` updates <- the present weights: for a host that saved one (swap, save,
 * swap) and reads it back. NG_EARG while swapped in, for 0 updates, or after a parameter was
 * added. */
NG_API ng_status ng_average_restore(ng_average *average, unsigned long long count, ng_error *error);

#ifdef __cplusplus
}
#endif
#endif
