/* A child process that is to be killed at its work. */
#ifndef NG_TEST_CHILD_H
#define NG_TEST_CHILD_H

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/support.h"

/* It does `once` for ever, and has done it: on a busy machine a child may wait long for its first
 * turn, and would be killed before it had begun. */
static inline pid_t test_child(void (*once)(void *data), void *data)
{
    int begun[2];
    char byte;
    ck_assert_int_eq(pipe(begun), 0);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        once(data);
        if (write(begun[1], "", 1) != 1)
            _exit(3);
        for (;;)
            once(data);
    }
    close(begun[1]);
    ck_assert_int_eq(read(begun[0], &byte, 1), 1);
    close(begun[0]);
    return child;
}

/* Waits up to 20 ms and kills it; it must not have ended before. */
static inline void test_kill(pid_t child, test_rng *rng)
{
    struct timespec pause = {0, (long)(test_uniform(rng) * 20e6)};
    int status;
    nanosleep(&pause, NULL);
    kill(child, SIGKILL);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status));
}

#endif
