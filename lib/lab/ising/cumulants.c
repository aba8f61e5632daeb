/* The arrays of averaged cumulants. */
#include <natgrad/lab/ising.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/lab/ising/ising.h"

size_t ngi_power(size_t base, size_t exponent)
{
    size_t power = 1;
    while (exponent-- > 0)
        power = power > SIZE_MAX / base ? SIZE_MAX : power * base;
    return power;
}

ng_status ngi_check_lattice(size_t dim, size_t length, ng_error *error)
{
    if (dim != 2 && dim != 3)
        return ng_error_set(error, NG_EARG, "dim = %zu, expected 2 or 3", dim);
    if (length < 3)
        return ng_error_set(error, NG_EARG,
                            "length L = %zu, expected at least 3 (below, bonds coincide)", length);
    return NG_OK;
}

ng_status ng_cumulants_create(ng_cumulants *c, size_t dim, size_t length, int third,
                              ng_error *error)
{
    if (c == NULL)
        return ng_error_set(error, NG_EARG, "c is NULL");
    memset(c, 0, sizeof *c);
    ng_status status = ngi_check_lattice(dim, length, error);
    if (status != NG_OK)
        return status;
    size_t sites = ngi_power(length, dim), pairs = ngi_power(length, 2 * dim);
    double small = 8.0 * (double)(dim * dim) * (double)sites;
    double large = 8.0 * (double)(dim * dim * dim) * (double)sites * (double)sites;
    if (sites < SIZE_MAX / 256)
        c->second = calloc(dim * dim * sites, sizeof(double));
    if (third && pairs < SIZE_MAX / 256)
        c->third = calloc(dim * dim * dim * pairs, sizeof(double));
    if (c->second == NULL || (third && c->third == NULL)) {
        ng_cumulants_destroy(c);
        return ng_error_set(error, NG_ENOMEM, "no memory for cumulants at L = %zu: %.3g bytes",
                            length, small + (third ? large : 0));
    }
    c->dim = dim;
    c->length = length;
    return NG_OK;
}

void ng_cumulants_destroy(ng_cumulants *c)
{
    if (c == NULL)
        return;
    free(c->second);
    free(c->third);
    memset(c, 0, sizeof *c);
}
