#include "tests/support/tensor.h"

#include <stdlib.h>

double *tensor_transform(ng_mat w, const double *kappa)
{
    size_t n = w.rows;
    double *in = malloc(n * n * n * sizeof *in), *out = calloc(n * n * n, sizeof *out);
    ck_assert(in != NULL && out != NULL);
    memcpy(in, kappa, n * n * n * sizeof *in);
    /* three times: the first index is transformed and becomes the last */
    for (int leg = 0; leg < 3; leg++) {
        memset(out, 0, n * n * n * sizeof *out);
        for (size_t a = 0; a < n; a++)
            for (size_t i = 0; i < n; i++)
                for (size_t jk = 0; jk < n * n; jk++)
                    out[jk * n + a] += ng_mat_get(w, a, i) * in[i * n * n + jk];
        double *swap = in;
        in = out;
        out = swap;
    }
    free(out);
    return in;
}

tensor_norms tensor_curvature(ng_mat f, const double *kappa)
{
    size_t n = f.rows;
    tensor_norms r = {0, 0, 0};
    double *white = tensor_transform(dense_power(f, -0.5), kappa);
    for (size_t c = 0; c < n; c++) {
        double trace = 0;
        for (size_t ab = 0; ab < n * n; ab++)
            r.square += white[ab * n + c] * white[ab * n + c];
        for (size_t a = 0; a < n; a++)
            trace += white[(a * n + a) * n + c];
        r.trace += trace * trace;
    }
    free(white);
    r.curvature = 0.25 * (r.square - r.trace);
    return r;
}

/* x[m] <- sum_s (-1)^(parity of s & m) x[s] */
static void walsh(double *x, size_t size)
{
    for (size_t h = 1; h < size; h *= 2)
        for (size_t i = 0; i < size; i += 2 * h)
            for (size_t j = i; j < i + h; j++) {
                double a = x[j], b = x[j + h];
                x[j] = a + b;
                x[j + h] = a - b;
            }
}

double tensor_walsh(ng_mat f, double *kappa, double *mean, size_t n, const size_t *mask,
                    const double *theta, int bits)
{
    size_t size = (size_t)1 << bits;
    double *p = calloc(size, sizeof *p);
    ck_assert(p != NULL);
    for (size_t a = 0; a < n; a++)
        p[mask[a]] += theta[a];
    walsh(p, size); /* energies */
    for (size_t s = 0; s < size; s++)
        p[s] = exp(p[s]);
    walsh(p, size); /* p[m] / p[0] is the mean of the product with that mask */
    double z = p[0];
    for (size_t m = 0; m < size; m++)
        p[m] /= z;
    for (size_t a = 0; a < n; a++) {
        double ea = p[mask[a]];
        if (mean != NULL)
            mean[a] = ea;
        for (size_t b = 0; b < n; b++) {
            double eb = p[mask[b]], eab = p[mask[a] ^ mask[b]];
            if (f.rows > 0)
                ng_mat_set(f, a, b, eab - ea * eb);
            for (size_t c = 0; c < n && kappa != NULL; c++) {
                double ec = p[mask[c]], eac = p[mask[a] ^ mask[c]], ebc = p[mask[b] ^ mask[c]];
                kappa[(a * n + b) * n + c] = p[mask[a] ^ mask[b] ^ mask[c]] - eab * ec - eac * eb -
                                             ebc * ea + 2 * ea * eb * ec;
            }
        }
    }
    free(p);
    return log(z);
}
