/* Random numbers of one step: a hash of the optimizer's seed, a parameter's name and step, and a
 * counter. A step that failed or is taken again after a checkpoint draws the same ones. */
#ifndef NGI_METHODS_NOISE_H
#define NGI_METHODS_NOISE_H

#include <stdint.h>

#include <natgrad/random.h>

#include "optim/front/method.h"

typedef struct {
    uint64_t next;
} ngi_noise;

/* Numbers for the coming step of that parameter, others for every purpose; noise is borrowed. */
ng_random ngi_noise_open(ngi_noise *noise, const ngi_param *param, const char *purpose);

#endif
