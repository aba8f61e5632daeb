/* Which numbers a state may hold: no step ever leaves others, so they are refused before they can
 * turn into weights, whether a file brings them or a host. */
#include "optim/front/state.h"

#include <float.h>
#include <math.h>

#include <natgrad/linalg.h>

#include "lib/tensors/header.h"

/* How far rounding may have carried a factor from being semidefinite. */
static const double slack = 1e-3;

static int is_nonnegative(ng_mat m)
{
    for (size_t i = 0; i < m.rows; i++)
        for (size_t j = 0; j < m.cols; j++)
            if (ng_mat_get(m, i, j) < 0)
                return 0;
    return 1;
}

static int is_positive(ng_mat m)
{
    for (size_t i = 0; i < m.rows; i++)
        for (size_t j = 0; j < m.cols; j++)
            if (!(ng_mat_get(m, i, j) > 0))
                return 0;
    return 1;
}

/* What every semidefinite matrix has: a diagonal >= 0 and |a_ij|^2 <= a_ii a_jj. (Some factors are
 * kept in their lower triangle alone.) */
static int is_semidefinite(ng_mat m)
{
    double tiny = m.dtype == NG_F32 ? (double)FLT_MIN : DBL_MIN;
    if (m.rows != m.cols)
        return 0;
    for (size_t i = 0; i < m.rows; i++) {
        double root = sqrt(fmax(0, ng_mat_get(m, i, i)));
        if (ng_mat_get(m, i, i) < 0)
            return 0;
        for (size_t j = 0; j < i; j++) {
            double bound = root * sqrt(ng_mat_get(m, j, j)) + tiny / slack;
            if (fmax(fabs(ng_mat_get(m, i, j)), fabs(ng_mat_get(m, j, i))) > (1 + slack) * bound)
                return 0;
        }
    }
    return 1;
}

static int has_positive_diagonal(ng_mat m)
{
    for (size_t i = 0; i < m.rows && i < m.cols; i++)
        if (!(ng_mat_get(m, i, i) > 0))
            return 0;
    return 1;
}

static const struct {
    int (*holds)(ng_mat m); /* (optional: always) */
    const char *words;
} rules[] = {
    [NGI_FINITE] = {NULL, "finite"},
    [NGI_NONNEGATIVE] = {is_nonnegative, "numbers >= 0"},
    [NGI_POSITIVE] = {is_positive, "numbers > 0"},
    [NGI_SEMIDEFINITE] = {is_semidefinite, "a positive semidefinite matrix"},
    [NGI_POSITIVE_DIAGONAL] = {has_positive_diagonal, "a matrix with a positive diagonal"},
};

ng_status ngi_legal_check(ngi_legal legal, ng_mat m, const char *name, ng_error *error)
{
    if (!ng_is_finite(m))
        return ng_error_set(error, NG_ENONFINITE, "'%s' holds NaN or infinity",
                            ngi_label_of(name).text);
    if (rules[legal].holds == NULL || rules[legal].holds(m))
        return NG_OK;
    return ng_error_set(error, NG_ERANGE, "'%s' is not %s", ngi_label_of(name).text,
                        rules[legal].words);
}
