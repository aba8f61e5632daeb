/* natgrad/train/rng.h: random numbers for everything that takes an ng_random.
 *
 * Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as
 * easy as 1, 2, 3", SC 2011), a generator by counting: block n of a sequence is
 * a function of a key and of n, and nothing has to be drawn before it. The key
 * is the seed; the 128 bits of the counter are
 *
 *     words 0 and 1   number of the block, from 0, low word first
 *     words 2 and 3   the stream, low word first; the highest bit says whether
 *                     uniform (0) or normal (1) numbers are made of the block
 *
 * so the streams of one seed never overlap: one a thread, a rank, a chain.
 * Uniform and normal numbers are two sequences with a position each, and how
 * the calls cut or interleave them changes no number. A block is two numbers:
 * with its words a, b, c, d
 *
 *     u = (a' 2^26 + b') / 2^53, v = (c' 2^26 + d') / 2^53   a', c': 27 high bits; b', d': 26
 *     uniform:  u, v
 *     normal:   r cos(2 pi v), r sin(2 pi v), r^2 = -2 log(1 - u)   (Box and Muller 1958)
 *
 * Integers and uniform numbers are the same on every machine; normal numbers
 * are the same bits with the same C library, and end at |x| = 8.58. */
#ifndef NATGRAD_TRAIN_RNG_H
#define NATGRAD_TRAIN_RNG_H

#include <stdint.h>
#include <natgrad/random.h>
#include <natgrad/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Fills in *random with a generator of its own at the start of stream 0, to be
 * given back with ng_rng_destroy. The struct may be copied; the copies draw
 * from one state, which belongs to one thread at a time. Any seed.
 * save takes 48 bytes: magic, seed, stream, the two positions, a check sum, each
 * in the same byte order on every machine; it writes nothing when `size` is too
 * small. load takes any state that save wrote, that of another seed or stream
 * too, and refuses everything else (non-zero, the generator unchanged).
 * NG_ENOMEM; on an error *random is all zero. */
NG_API ng_status ng_rng_create(ng_random *random, uint64_t seed, ng_error *error);

/* The same at the start of a stream, 0 ... 2^63 - 1; larger is NG_EARG. */
NG_API ng_status ng_rng_create_stream(ng_random *random, uint64_t seed, uint64_t stream,
                                      ng_error *error);

/* Frees the generator and clears *random. NULL and a cleared one are fine. */
NG_API void ng_rng_destroy(ng_random *random);

/* out <- n integers, each of 0 ... below - 1 equally likely, without the bias of
 * a remainder: a draw of 53 bits that falls behind the last whole multiple of
 * `below` is drawn again. Works with any ng_random, up to the resolution of its
 * fill_uniform. NG_EARG for below = 0, below > 2^53, no fill_uniform. */
NG_API ng_status ng_rng_integers(const ng_random *random, size_t *out, size_t n, size_t below,
                                 ng_error *error);

/* Puts the n numbers into a random order, all orders equally likely (Fisher and
 * Yates, with the integers above). Works with any ng_random. */
NG_API void ng_rng_shuffle(const ng_random *random, size_t *index, size_t n);

/* The bare function: ten rounds. For numbers by name instead of by turn, as the
 * key and counter say; keys that are no seed of a generator are safest. */
NG_API void ng_rng_philox(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2]);

#ifdef __cplusplus
}
#endif
#endif
