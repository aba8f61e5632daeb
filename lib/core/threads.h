/* Independent jobs over a few threads. */
#ifndef NGI_THREADS_H
#define NGI_THREADS_H

#include <stddef.h>

/* Does one job; worker numbers the thread, 0 ... threads - 1. */
typedef void (*ngi_job)(void *data, size_t index, int worker);

/* Runs jobs 0 ... count - 1, each once, and returns when all are done. Threads
 * take the next job in the order of the indices; with threads <= 1, or where
 * no thread can be had, the caller does them itself. */
void ngi_threads_run(int threads, size_t count, ngi_job job, void *data);

#endif
