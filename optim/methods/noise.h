/* Random numbers of one step: functions of the optimizer's seed, a parameter's name and step, and
 * a counter. A step that failed or is taken again after a checkpoint draws the same ones. */
#ifndef NGI_METHODS_NOISE_H
#define NGI_METHODS_NOISE_H

#include <stdint.h>

#include <natgrad/random.h>

#include "optim/front/method.h"

typedef struct {
    uint64_t key;
    uint64_t uniform, normal; /* numbers drawn so far */
} ngi_noise;

/* Numbers for the coming step of that parameter, others for every purpose; noise is borrowed. */
ng_random ngi_noise_open(ngi_noise *noise, const ngi_param *param, const char *purpose);

/* x (dense, f32 or f64) <- the next normal numbers: fill_normal's, as far as the dtype goes. */
void ngi_noise_normal(ngi_noise *noise, ng_mat x);

#endif
