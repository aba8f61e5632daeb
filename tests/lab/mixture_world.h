/* Random mixtures, and a path between two. */
#ifndef NG_TEST_MIXTURE_WORLD_H
#define NG_TEST_MIXTURE_WORLD_H

#include <natgrad-lab.h>

#include "tests/support/support.h"

enum { D = 3, K = 4, N = 7 };

typedef struct {
    double means[K * D], covariances[K * D * D];
} world;

static const double mixture_weights[K] = {0.5, 2, 1, 0.7};
static const int mixture_labels[K] = {0, 1, 0, 2};

/* random means, covariances A A^T / 2 + floor I of d dimensions; upper triangles hold NaN */
static inline ng_mixture *random_mixture(world *w, size_t k, size_t d, double floor,
                                         unsigned long long seed)
{
    test_rng rng = {seed};
    ng_mixture *m;
    for (size_t i = 0; i < k * d; i++)
        w->means[i] = 1.5 * test_normal(&rng);
    for (size_t c = 0; c < k; c++) {
        double a[D * D];
        for (size_t i = 0; i < d * d; i++)
            a[i] = test_normal(&rng);
        for (size_t i = 0; i < d; i++)
            for (size_t j = 0; j < d; j++) {
                double sum = i == j ? floor : 0;
                for (size_t e = 0; e < d; e++)
                    sum += a[i * d + e] * a[j * d + e] / 2;
                w->covariances[(c * d + i) * d + j] = j > i ? (double)NAN : sum;
            }
    }
    ng_assert_ok(ng_mixture_create(&m, ng_f64(w->means, k, d), ng_f64(w->covariances, k * d, d),
                                   mixture_weights, mixture_labels, NULL),
                 NULL);
    ck_assert_uint_eq(ng_mixture_components(m), k);
    ck_assert_uint_eq(ng_mixture_dimension(m), d);
    return m;
}

static inline ng_interpolant at_time(double t)
{
    const double half_pi = acos(0), gamma = sqrt(t * (1 - t)) / 2;
    return (ng_interpolant){.alpha = cos(half_pi * t),
                            .beta = sin(half_pi * t),
                            .gamma = gamma,
                            .alpha_rate = -half_pi * sin(half_pi * t),
                            .beta_rate = half_pi * cos(half_pi * t),
                            .gamma_rate = (1 - 2 * t) / 8};
}

#endif
