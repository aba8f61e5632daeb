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

/* Another for AVX-512, with the same bits: where arithmetic takes the time, and not memory. */
#ifdef NG_HAVE_WIDE_CLONES
#define NGI_CLONES_WIDE __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#else
#define NGI_CLONES_WIDE NGI_CLONES
#endif

#endif
