/* The tables of cumulants. */
#include "lib/lab/lattice/lattice.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/try.h"

size_t ngi_cumulants_memory(size_t dimension, size_t length)
{
    size_t n = ngi_power(length, dimension), d = dimension;
    return ngi_mul(sizeof(double) * d * d, ngi_add(n, ngi_mul(d, ngi_mul(n, n))));
}

ng_status ng_cumulants_create(ng_cumulants *c, size_t dimension, size_t length, int third,
                              ng_error *error)
{
    if (c == NULL)
        return ng_error_set(error, NG_EARG, "c is NULL");
    memset(c, 0, sizeof *c);
    TRY(ngi_torus_check(dimension, length, error));
    size_t n = ngi_power(length, dimension), d = dimension, pairs = ngi_mul(n, n);
    double bytes = 8.0 * (double)(d * d) * (double)n * (third ? 1 + (double)d * (double)n : 1);
    if (n < SIZE_MAX / 256)
        c->fisher = calloc(d * d * n, sizeof(double));
    if (third && pairs < SIZE_MAX / 256)
        c->third = calloc(d * d * d * pairs, sizeof(double));
    if (c->fisher == NULL || (third && c->third == NULL)) {
        ng_cumulants_destroy(c);
        return ng_error_set(error, NG_ENOMEM, "no memory for the cumulants of L = %zu: %.3g bytes",
                            length, bytes);
    }
    c->dimension = dimension;
    c->length = length;
    return NG_OK;
}

void ng_cumulants_destroy(ng_cumulants *c)
{
    if (c == NULL)
        return;
    free(c->fisher);
    free(c->third);
    memset(c, 0, sizeof *c);
}
