#include "lib/core/threads.h"

#include <pthread.h>
#include <stdatomic.h>

enum { MAX_THREADS = 256 };

typedef struct {
    ngi_job job;
    void *data;
    size_t count;
    atomic_size_t next;
} queue;

typedef struct {
    queue *jobs;
    int worker;
} seat;

static void *work(void *argument)
{
    const seat *s = argument;
    queue *jobs = s->jobs;
    for (size_t i; (i = atomic_fetch_add(&jobs->next, 1)) < jobs->count;)
        jobs->job(jobs->data, i, s->worker);
    return NULL;
}

void ngi_threads_run(int threads, size_t count, ngi_job job, void *data)
{
    pthread_t helper[MAX_THREADS];
    seat seats[MAX_THREADS];
    queue jobs = {.job = job, .data = data, .count = count};
    int started = 1; /* the caller is worker 0 */
    atomic_init(&jobs.next, 0);
    seats[0] = (seat){&jobs, 0};
    while (started < threads && started < MAX_THREADS && (size_t)started < count) {
        seats[started] = (seat){&jobs, started};
        if (pthread_create(&helper[started], NULL, work, &seats[started]) != 0)
            break; /* fewer hands, the same result */
        started++;
    }
    work(&seats[0]);
    for (int i = 1; i < started; i++)
        pthread_join(helper[i], NULL);
}
