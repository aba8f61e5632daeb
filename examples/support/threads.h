/* How many threads OpenBLAS uses, for programs that want to say so themselves. */
#ifndef EXAMPLES_THREADS_H
#define EXAMPLES_THREADS_H

/* Sets the process-wide count. 0, or -1 if the BLAS is not OpenBLAS. */
int blas_set_threads(int threads);

#endif
