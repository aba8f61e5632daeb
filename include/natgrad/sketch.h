/* natgrad/sketch.h: random matrices S (m x n) that keep lengths, so that a least-squares problem of
 * n rows becomes one of m: min |A x - b| by min |S A x - S b|.
 *
 *   ng_sketch *s;
 *   ng_sketch_create(&s, NG_SKETCH_SRHT, 1024, 4096, &random, &error);
 *   ng_sketch_apply(s, ng_f64(sa, 1024, 16), ng_f64(a, 4096, 16), &error);
 *   ng_sketch_destroy(s);
 *
 * E S^T S = I for all kinds. N is n rounded up to a power of two, H the Walsh-Hadamard matrix over
 * sqrt(N), D random signs:
 *
 *   gaussian   independent N(0, 1/m)                                       m n products a column
 *   srht       sqrt(N / m) P H D, P takes m rows of N without replacement  N log2 N
 *   pooled     B G P H D, P a permutation, G independent N(0, 1), B sums m blocks of the rows side
 *              by side: Gaussian rows given the rest, for what is said coordinate by coordinate
 *   count      every column one sign in a random row (CountSketch)         n
 *
 * Of the solution's error coordinate by coordinate, |x' - x|_inf <= (eps / sqrt d) |A x - b| /
 * s_min(A) with m ~ d / eps^2 rows: it holds for gaussian and pooled up to a logarithm, is seen but
 * not proved for srht, and does not hold for count, where one collision is as large as 1 / sqrt d
 * whatever m. Sources: Ailon and Chazelle 2006, Tropp 2011 (srht); Charikar, Chen and Farach-Colton
 * 2002 (count); Song, Ye, Yin and Zhang 2023, arXiv:2302.00248, and its correction by Song and
 * Zhang 2026 (pooled).
 *
 * Errors: NG_EARG, NG_ESHAPE, NG_EDTYPE, NG_ENOMEM, NG_ERANGE (a size that overflows). */
#ifndef NATGRAD_SKETCH_H
#define NATGRAD_SKETCH_H

#include <natgrad/mat.h>
#include <natgrad/random.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    NG_SKETCH_GAUSSIAN,
    NG_SKETCH_SRHT,
    NG_SKETCH_POOLED,
    NG_SKETCH_COUNT,
    NG_SKETCH_KINDS /* how many there are */
} ng_sketch_kind;

/* "gaussian", ...; "unknown" for anything else. Static strings. */
NG_API const char *ng_sketch_kind_name(ng_sketch_kind kind);

typedef struct ng_sketch ng_sketch;

/* Draws a sketch of m >= 1 rows for n >= 1; srht and pooled: m <= N. It keeps m n doubles
 * (gaussian) or O(N), and not the random numbers, which need fill_uniform, and fill_normal for
 * gaussian and pooled. *sketch is NULL after an error. */
NG_API ng_status ng_sketch_create(ng_sketch **sketch, ng_sketch_kind kind, size_t m, size_t n,
                                  const ng_random *random, ng_error *error);

/* NULL is fine. */
NG_API void ng_sketch_destroy(ng_sketch *sketch);

/* m and n; 0 for NULL. */
NG_API size_t ng_sketch_rows(const ng_sketch *sketch);
NG_API size_t ng_sketch_cols(const ng_sketch *sketch);

/* sa (m x k) <- S a (n x k), NG_F64 both, which share no memory. Takes N doubles meanwhile. Threads
 * may share a sketch. */
NG_API ng_status ng_sketch_apply(const ng_sketch *sketch, ng_mat sa, ng_mat a, ng_error *error);

/* x[mask] <- sum over s of (-1)^(bits common to mask and s) x[s], in place; length a power of two,
 * else NG_EARG. Twice is length times x. length log2 length sums, in an order that depends on
 * length alone. */
NG_API ng_status ng_walsh_hadamard(double *x, size_t length, ng_error *error);

#ifdef __cplusplus
}
#endif
#endif
