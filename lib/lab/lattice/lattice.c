/* Models, and sites of the torus. */
#include "lib/lab/lattice/lattice.h"

#include <math.h>
#include <string.h>

static const struct {
    const char *name;
    size_t dimension, states;
} models[] = {
    [NG_LATTICE_ISING2D] = {"ising2d", 2, 2},
    [NG_LATTICE_ISING3D] = {"ising3d", 3, 2},
    [NG_LATTICE_POTTS3] = {"potts3", 2, 3},
    [NG_LATTICE_POTTS4] = {"potts4", 2, 4},
};

enum { MODELS = sizeof models / sizeof *models, LENGTH_MAX = 1024 };

static int known(ng_lattice_model model)
{
    return (int)model >= 0 && (int)model < MODELS;
}

const char *ng_lattice_name(ng_lattice_model model)
{
    return known(model) ? models[model].name : NULL;
}

ng_status ng_lattice_find(ng_lattice_model *model, const char *name, ng_error *error)
{
    for (int i = 0; name != NULL && i < MODELS; i++)
        if (strcmp(name, models[i].name) == 0) {
            *model = (ng_lattice_model)i;
            return NG_OK;
        }
    return ng_error_set(error, NG_EARG, "model %.60s, expected ising2d, ising3d, potts3 or potts4",
                        name == NULL ? "NULL" : name);
}

double ng_lattice_critical(ng_lattice_model model)
{
    if (!known(model))
        return 0;
    if (model == NG_LATTICE_ISING3D)
        return 0.2216544;
    double j = log(1 + sqrt((double)models[model].states));
    return model == NG_LATTICE_ISING2D ? j / 2 : j;
}

size_t ng_lattice_dimension(ng_lattice_model model)
{
    return known(model) ? models[model].dimension : 0;
}

size_t ng_lattice_states(ng_lattice_model model)
{
    return known(model) ? models[model].states : 0;
}

ng_status ngi_torus_check(size_t dimension, size_t length, ng_error *error)
{
    if (dimension < 2 || dimension > NGI_SPECIES)
        return ng_error_set(error, NG_EARG, "dimension: %zu, expected 2 or 3", dimension);
    if (length < 3)
        return ng_error_set(error, NG_EARG,
                            "length: L = %zu, expected at least 3 (below, bonds coincide)", length);
    return NG_OK;
}

ng_status ngi_lattice_check(const ng_lattice *lattice, ng_error *error)
{
    if (lattice == NULL)
        return ng_error_set(error, NG_EARG, "lattice is NULL");
    if (!known(lattice->model))
        return ng_error_set(error, NG_EARG, "model: unknown model %d", (int)lattice->model);
    if (lattice->length < 3 || lattice->length > LENGTH_MAX)
        return ng_error_set(error, NG_EARG, "length: L = %zu, expected 3 to %d", lattice->length,
                            LENGTH_MAX);
    if (!isfinite(lattice->coupling))
        return ng_error_set(error, NG_EARG, "coupling: J = %g, expected a finite number",
                            lattice->coupling);
    return NG_OK;
}

ng_status ngi_memory_check(size_t need, size_t limit, const char *engine, const ng_lattice *lattice,
                           ng_error *error)
{
    if (need <= limit && need != SIZE_MAX)
        return NG_OK;
    return ng_error_set(error, NG_ENOMEM,
                        "memory: %s of %s at L = %zu needs %.4g bytes%s, the limit is %.4g", engine,
                        models[lattice->model].name, lattice->length, (double)need,
                        need == SIZE_MAX ? " or more" : "", (double)limit);
}

/* ---- Sizes and sites -------------------------------------------------------- */

size_t ngi_add(size_t a, size_t b)
{
    return a > SIZE_MAX - b ? SIZE_MAX : a + b;
}

size_t ngi_mul(size_t a, size_t b)
{
    return b != 0 && a > SIZE_MAX / b ? SIZE_MAX : a * b;
}

size_t ngi_power(size_t base, size_t exponent)
{
    size_t p = 1;
    while (exponent-- > 0)
        p = ngi_mul(p, base);
    return p;
}

size_t ngi_site_digit(size_t length, size_t x, size_t axis)
{
    while (axis-- > 0)
        x /= length;
    return x % length;
}

size_t ngi_site_move(size_t length, size_t x, size_t axis, size_t steps)
{
    size_t stride = 1;
    while (axis-- > 0)
        stride *= length;
    size_t digit = x / stride % length;
    return x + ((digit + steps) % length) * stride - digit * stride;
}

size_t ngi_site_add(size_t dimension, size_t length, size_t x, size_t y)
{
    for (size_t axis = 0; axis < dimension; axis++, y /= length)
        x = ngi_site_move(length, x, axis, y % length);
    return x;
}

size_t ngi_site_negate(size_t dimension, size_t length, size_t x)
{
    size_t negative = 0, stride = 1;
    for (size_t axis = 0; axis < dimension; axis++, x /= length, stride *= length)
        negative += (length - x % length) % length * stride;
    return negative;
}
