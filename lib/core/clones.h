/* NGI_CLONES before an element-wise kernel: one more body for AVX2, chosen when
 * the library is loaded. Same bits as the plain one: these loops keep the order
 * of their sums, and -ffp-contract=off keeps fused operations out. The inline
 * functions a kernel calls are compiled along with it. */
#ifndef NGI_CLONES_H
#define NGI_CLONES_H

#ifdef NG_HAVE_CLONES
#define NGI_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define NGI_CLONES
#endif

#endif
