/* Normal numbers by name: number e of a sequence is a function of the sequence's key and of e, so
 * that nothing has to be drawn before it, and threads, pieces and processes change no bit.
 *
 * With the words a, b, c, d of block e / 4 of Philox4x32-10 (Salmon and others 2011; counter: the
 * block's number in words 0 and 1, low word first, 0 in the others), numbers 4 k ... 4 k + 3 are
 * (Box and Muller 1958)
 *
 *   r cos(2 pi v), r sin(2 pi v)   r^2 = -2 log u, u = (a + 1/2) / 2^32, v = (b + 1/2) / 2^32
 *
 * and the same of c, d. They end at |x| = 6.77. An f32 is within 1.2e-6 of this formula, an f64
 * within 5e-15: logarithm, sine and cosine are polynomials, and the bits are the same on every
 * machine. */
#ifndef NGI_LINALG_NORMAL_H
#define NGI_LINALG_NORMAL_H

#include <stdint.h>

#include <natgrad/mat.h>

/* out (n of that dtype: f32, f64) <- numbers first ... first + n - 1 of the sequence */
void ngi_normal_fill(void *out, size_t n, uint64_t key, uint64_t first, ng_dtype dtype);

#endif
