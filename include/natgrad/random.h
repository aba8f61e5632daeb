/* natgrad/random.h: where random numbers come from.
 *
 * libnatgrad owns no generator. Calls that need randomness take an ng_random
 * that the host fills in with its own; libnatgrad-train has one to fill it with
 * (natgrad/train/rng.h). */
#ifndef NATGRAD_RANDOM_H
#define NATGRAD_RANDOM_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    void (*fill_normal)(void *data, double *out, size_t n);  /* independent N(0, 1) */
    void (*fill_uniform)(void *data, double *out, size_t n); /* independent, in [0, 1) */
    /* (optional) bytes of the state; with out NULL only the size is returned */
    size_t (*save)(const void *data, void *out, size_t size);
    /* (optional) 0 when the bytes were a state of this generator */
    int (*load)(void *data, const void *in, size_t size);
    void *data;
} ng_random;

#ifdef __cplusplus
}
#endif
#endif
