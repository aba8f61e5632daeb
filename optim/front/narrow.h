/* Weights and gradients of sixteen bits. Methods see f32: w and bias are parts of a tensor of the
 * front's own, "master", which keeps what rounding takes away; or, with stochastic rounding,
 * scratch that lives as long as a commit. Reading a gradient and writing weights convert, nothing
 * else. */
#ifndef NGI_NARROW_H
#define NGI_NARROW_H

#include <stdint.h>

#include "optim/front/method.h"

static inline int ngi_is_narrow(const ngi_param *param)
{
    return param->half.rows > 0;
}

/* w becomes f32, and the caller's weights are what they are; others stay. */
void ngi_narrow_split(ngi_param *param, ng_mat w);

/* Declares the master, if it has one; when that has memory w and bias are its parts. */
ng_status ngi_narrow_declare(ngi_param *param, ng_error *error);
void ngi_narrow_bind(ngi_param *param);

/* What stochastic rounding of that parameter has its bits from, beside step and element. */
uint64_t ngi_narrow_key(uint64_t seed, const char *name);

/* Elements side by side, from (i, j) on. f32 <- the weights as they are, the master's where it
 * rounds to them: `f32` is the master's place or any other. And back into the caller's. */
void ngi_narrow_load(void *f32, const ngi_param *param, size_t i, size_t j, size_t n);
void ngi_narrow_store(const ngi_param *param, size_t i, size_t j, size_t n, const void *f32);

/* For methods that take a parameter as a whole: the gradient in f32 and, for a commit, the weights,
 * from ngi_narrow_work bytes of work; afterwards all as before, the weights written. Nothing
 * happens where there is nothing of sixteen bits. NG_ENOMEM: less work than that. */
size_t ngi_narrow_work(const ngi_param *param);
ng_status ngi_narrow_open(ngi_param *param, int commit, ng_work *work, ng_error *error);
void ngi_narrow_close(ngi_param *param, int commit);

/* y <- a x + b y for x of any dtype and y of f32 or f64; with b = 0 the old y is not read. */
ng_status ngi_narrow_axpby(ng_mat y, ng_mat x, double a, double b, ng_error *error);

#endif
