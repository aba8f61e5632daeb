#define _GNU_SOURCE
#include "examples/support/threads.h"

#include <dlfcn.h>
#include <string.h>

int blas_set_threads(int threads)
{
    void (*set)(int);
    void *symbol = dlsym(RTLD_DEFAULT, "openblas_set_num_threads");
    if (symbol == NULL)
        return -1;
    memcpy(&set, &symbol, sizeof set);
    set(threads);
    return 0;
}
