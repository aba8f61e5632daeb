#include "optim/methods/noise.h"

#include <math.h>

#include "lib/linalg/start.h"
#include "optim/front/narrow.h"

static void fill_uniform(void *data, double *out, size_t n)
{
    ngi_noise *noise = data;
    for (size_t i = 0; i < n; i++)
        out[i] = (ngi_start_element(noise->next++) + 1) / 2;
}

/* Box and Muller 1958 */
static void fill_normal(void *data, double *out, size_t n)
{
    const double turn = 8 * atan(1);
    for (size_t i = 0; i < n; i += 2) {
        double u[2], length;
        fill_uniform(data, u, 2);
        length = sqrt(-2 * log1p(-u[0]));
        out[i] = length * cos(turn * u[1]);
        if (i + 1 < n)
            out[i + 1] = length * sin(turn * u[1]);
    }
}

ng_random ngi_noise_open(ngi_noise *noise, const ngi_param *param, const char *purpose)
{
    const ng_random random = {fill_normal, fill_uniform, NULL, NULL, noise};
    noise->next = ngi_narrow_key(param->key + param->step, purpose);
    return random;
}
