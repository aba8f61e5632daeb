#include "optim/methods/noise.h"

#include "lib/linalg/normal.h"
#include "lib/linalg/start.h"
#include "optim/front/narrow.h"

static void fill_uniform(void *data, double *out, size_t n)
{
    ngi_noise *noise = data;
    for (size_t i = 0; i < n; i++)
        out[i] = (ngi_start_element(noise->key + noise->uniform++) + 1) / 2;
}

static void fill_normal(void *data, double *out, size_t n)
{
    ngi_noise *noise = data;
    ngi_normal_fill(out, n, noise->key, noise->normal, NG_F64);
    noise->normal += n;
}

void ngi_noise_normal(ngi_noise *noise, ng_mat x)
{
    ngi_normal_fill(x.data, x.rows * x.cols, noise->key, noise->normal, x.dtype);
    noise->normal += x.rows * x.cols;
}

ng_random ngi_noise_open(ngi_noise *noise, const ngi_param *param, const char *purpose)
{
    const ng_random random = {fill_normal, fill_uniform, NULL, NULL, noise};
    *noise = (ngi_noise){.key = ngi_narrow_key(param->key + param->step, purpose)};
    return random;
}
