/* natgrad/train/rng.h: a random generator for everything that takes an ng_random.
 *
 * GSL's Mersenne twister (gsl_rng_mt19937: Matsumoto and Nishimura 1998, with
 * the seeding of 2002), chosen explicitly: the environment variables GSL_RNG_*
 * change nothing. Uniform numbers have 53 bits (genrand_res53: two draws a
 * number), so that a seed other than 0 gives the sequence of numpy's
 * RandomState(seed).random_sample(). Normal numbers come from GSL's ziggurat.
 * Same seed, same calls: same bits. */
#ifndef NATGRAD_TRAIN_RNG_H
#define NATGRAD_TRAIN_RNG_H

#include <natgrad/random.h>
#include <natgrad/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Fills in *random with a generator of its own, to be given back with
 * ng_rng_destroy. The struct may be copied; the copies draw from one state.
 * seed: 0 ... 2^32 - 1, larger is NG_EARG; GSL reads 0 as 4357.
 * Its save and load carry the whole state with a check sum, in the byte order
 * of this machine; save writes nothing when `size` is too small, load refuses
 * (non-zero, the generator unchanged) whatever save did not write.
 * NG_ENOMEM. On an error *random is all zero. */
NG_API ng_status ng_rng_create(ng_random *random, unsigned long seed, ng_error *error);

/* Frees the generator and clears *random. NULL and a cleared one are fine. */
NG_API void ng_rng_destroy(ng_random *random);

/* Puts the n numbers into a random order, all orders equally likely up to the
 * resolution of fill_uniform (Fisher and Yates). Works with any ng_random. */
NG_API void ng_rng_shuffle(const ng_random *random, size_t *index, size_t n);

#ifdef __cplusplus
}
#endif
#endif
