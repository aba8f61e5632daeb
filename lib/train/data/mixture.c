/* Gaussian mixtures. */
#include "lib/train/data/dataset.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

/* Two centres s z and s z' with z, z' ~ N(0, I_d) are s sqrt(2 d) apart in the
 * root mean square. */
static void draw(ngi_store *store, double *centres, double separation, const ng_random *random)
{
    const size_t d = store->features, classes = store->classes;
    const double scale = separation / sqrt(2 * (double)d);
    random->fill_normal(random->data, centres, classes * d);
    for (size_t i = 0; i < store->count; i++) {
        double u, *x = (double *)store->values + i * d;
        random->fill_uniform(random->data, &u, 1);
        random->fill_normal(random->data, x, d);
        size_t k = (size_t)(u * (double)classes);
        k = k < classes ? k : classes - 1;
        for (size_t j = 0; j < d; j++)
            x[j] += scale * centres[k * d + j];
        store->labels[i] = (unsigned char)k;
    }
}

ng_status ng_dataset_mixture(ng_dataset **dataset, size_t count, size_t classes, size_t features,
                             double separation, const ng_random *random, ng_error *error)
{
    ngi_store *store = NULL;
    double *centres = NULL;
    ng_status status;
    if (dataset == NULL)
        return ng_error_set(error, NG_EARG, "dataset is NULL");
    *dataset = NULL;
    if (classes < 1 || classes > NGI_CLASSES)
        return ng_error_set(error, NG_EARG, "%zu classes, expected 1 to %d", classes, NGI_CLASSES);
    if (!(separation >= 0 && isfinite(separation)))
        return ng_error_set(error, NG_EARG, "separation %g, expected a number >= 0", separation);
    status = ngi_random_check(random, error);
    if (status != NG_OK)
        goto fail;
    status = ngi_store_create(&store, &ngi_reals, error);
    if (status != NG_OK)
        goto fail;
    status = ngi_store_allocate(store, count, features, sizeof(double), error);
    if (status != NG_OK)
        goto fail;
    if (features <= SIZE_MAX / 2 / sizeof(double) / classes)
        centres = malloc(classes * features * sizeof(double));
    if (centres == NULL) {
        status = ng_error_set(error, NG_ENOMEM, "no memory for %zu centres", classes);
        goto fail;
    }
    store->classes = classes;
    draw(store, centres, separation, random);
    status = ngi_store_wrap(dataset, store, "mixture", error);
fail:
    free(centres);
    ngi_store_release(store);
    return status;
}
