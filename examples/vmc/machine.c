/* The machine, its chains, and their energies. */
#include <math.h>
#include <stdlib.h>

#include "examples/vmc/vmc.h"

static const double pi = 3.14159265358979323846;

machine machine_make(size_t spins, size_t alpha, int symmetric, double h, const ng_random *random)
{
    machine m = {
        .spins = spins, .alpha = alpha, .hidden = alpha * spins, .symmetric = symmetric, .h = h};
    m.n = (symmetric ? alpha : m.hidden) * (spins + 1);
    m.w = paper_mat(1, m.n);
    m.full = paper_mat(spins, m.hidden);
    m.cosh2 = paper_mat(spins, m.hidden);
    m.sinh2 = paper_mat(spins, m.hidden);
    m.bias = paper_mat(1, m.hidden);
    paper_normal(m.w, random);
    ng_scale(m.w, 0.1);
    machine_expand(&m);
    return m;
}

/* The row of w a hidden unit has, and how far it is moved. */
static const double *row_of(const machine *m, size_t unit, size_t *shift)
{
    size_t row = m->symmetric ? unit / m->spins : unit;
    *shift = m->symmetric ? unit % m->spins : 0;
    return (const double *)m->w.data + row * (m->spins + 1);
}

void machine_expand(machine *m)
{
    for (size_t j = 0; j < m->hidden; j++) {
        size_t shift;
        const double *row = row_of(m, j, &shift);
        ng_mat_set(m->bias, 0, j, row[m->spins]);
        for (size_t i = 0; i < m->spins; i++) {
            double w = row[(i + m->spins - shift) % m->spins];
            ng_mat_set(m->full, i, j, w);
            ng_mat_set(m->cosh2, i, j, cosh(2 * w));
            ng_mat_set(m->sinh2, i, j, sinh(2 * w));
        }
    }
}

/* ---- Chains ------------------------------------------------------------------------------------
 */

static double *at(ng_mat m, size_t row)
{
    return (double *)m.data + row * m.stride;
}

chains chains_make(machine *m, size_t count, const ng_random *random)
{
    chains c = {.m = m, .random = random};
    c.s = paper_mat(count, m->spins);
    c.theta = paper_mat(count, m->hidden);
    c.t = paper_mat(count, m->hidden);
    c.draws = paper_mat(1, m->spins);
    random->fill_uniform(random->data, c.s.data, count * m->spins);
    for (size_t k = 0; k < count * m->spins; k++)
        ((double *)c.s.data)[k] = ((double *)c.s.data)[k] < 0.5 ? -1 : 1;
    chains_refresh(&c);
    return c;
}

void chains_refresh(chains *c)
{
    ng_gemm(c->theta, c->s, NG_NOTRANS, c->m->full, NG_NOTRANS, 1, 0, NULL);
    for (size_t k = 0; k < c->s.rows; k++)
        for (size_t j = 0; j < c->m->hidden; j++) {
            at(c->theta, k)[j] += at(c->m->bias, 0)[j];
            at(c->t, k)[j] = tanh(at(c->theta, k)[j]);
        }
}

/* psi(s with spin i turned) / psi(s) = prod_j cosh(theta_j - 2 W_ji s_i) / cosh(theta_j) */
static double ratio(const chains *c, size_t chain, size_t i)
{
    const double *a = at(c->m->cosh2, i), *b = at(c->m->sinh2, i), *t = at(c->t, chain);
    double s = at(c->s, chain)[i], p[4] = {1, 1, 1, 1};
    size_t j = 0;
    for (; j + 4 <= c->m->hidden; j += 4)
        for (size_t k = 0; k < 4; k++)
            p[k] *= a[j + k] - s * b[j + k] * t[j + k];
    for (; j < c->m->hidden; j++)
        p[0] *= a[j] - s * b[j] * t[j];
    return p[0] * p[1] * (p[2] * p[3]);
}

static void turn(chains *c, size_t chain, size_t i)
{
    const double *w = at(c->m->full, i);
    double *theta = at(c->theta, chain), *t = at(c->t, chain), *s = at(c->s, chain);
    for (size_t j = 0; j < c->m->hidden; j++) {
        theta[j] -= 2 * w[j] * s[i];
        t[j] = tanh(theta[j]);
    }
    s[i] = -s[i];
}

void chains_sweep(chains *c)
{
    const double *u = c->draws.data;
    for (size_t k = 0; k < c->s.rows; k++) {
        c->random->fill_uniform(c->random->data, c->draws.data, c->m->spins);
        for (size_t i = 0; i < c->m->spins; i++) {
            double r = ratio(c, k, i);
            c->tried++;
            if (u[i] < r * r) {
                turn(c, k, i);
                c->accepted++;
            }
        }
    }
}

/* d log psi / dW_ji = tanh(theta_j) s_i, moved copies of a filter summed */
static void derive(const chains *c, size_t chain, double *row)
{
    size_t n = c->m->spins;
    const double *s = at(c->s, chain), *t = at(c->t, chain);
    for (size_t k = 0; k < c->m->n; k++)
        row[k] = 0;
    for (size_t j = 0; j < c->m->hidden; j++) {
        size_t shift = c->m->symmetric ? j % n : 0;
        double *to = row + (c->m->symmetric ? j / n : j) * (n + 1);
        for (size_t i = shift; i < n; i++)
            to[i - shift] += t[j] * s[i];
        for (size_t i = 0; i < shift; i++)
            to[i + n - shift] += t[j] * s[i];
        to[n] += t[j];
    }
}

double chains_energy(const chains *c, size_t chain, ng_mat row)
{
    const double *s = at(c->s, chain);
    size_t n = c->m->spins;
    double energy = 0;
    for (size_t i = 0; i < n; i++)
        energy -= s[i] * s[(i + 1) % n] + c->m->h * ratio(c, chain, i);
    if (row.data != NULL)
        derive(c, chain, row.data);
    return energy;
}

/* ---- Numbers
 * ------------------------------------------------------------------------------------- */

double exact_energy(size_t spins, double h)
{
    double sum = 0;
    for (size_t j = 1; j <= spins; j++)
        sum -= sqrt(1 + h * h - 2 * h * cos((double)(2 * j - 1) * pi / (double)spins));
    return sum;
}

/* Flyvbjerg and Petersen 1989: neighbours are averaged until blocks are longer than memory; the
 * largest error of a mean over the levels of 32 blocks and more. */
static double blocking(double *x, size_t n)
{
    double largest = 0;
    for (; n >= 32; n /= 2) {
        double mean = 0, square = 0;
        for (size_t i = 0; i < n; i++)
            mean += x[i] / (double)n;
        for (size_t i = 0; i < n; i++)
            square += (x[i] - mean) * (x[i] - mean);
        largest = fmax(largest, sqrt(square / ((double)n * (double)(n - 1))));
        for (size_t i = 0; i < n / 2; i++)
            x[i] = (x[2 * i] + x[2 * i + 1]) / 2;
    }
    return largest;
}

estimate measure(machine *m, size_t total, const ng_random *random)
{
    enum { CHAINS = 100, WARM = 200 };
    size_t length = total / CHAINS;
    ng_mat means = paper_mat(1, length);
    chains c = chains_make(m, CHAINS, random);
    estimate e = {0, 0};
    for (int k = 0; k < WARM; k++)
        chains_sweep(&c);
    for (size_t k = 0; k < length; k++) {
        double sum = 0;
        chains_sweep(&c);
        for (size_t chain = 0; chain < CHAINS; chain++)
            sum += chains_energy(&c, chain, ng_mat_none());
        ng_mat_set(means, 0, k, sum / CHAINS);
        e.energy += sum / CHAINS / (double)length;
    }
    e.bar = blocking(means.data, length);
    return e;
}

double enumerate(machine *m)
{
    chains c = chains_make(m, 1, paper_random(&(paper){.seed = 1}, 0));
    double sum = 0, weights = 0;
    for (size_t state = 0; state < (size_t)1 << m->spins; state++) {
        double log_psi = 0;
        for (size_t i = 0; i < m->spins; i++)
            ng_mat_set(c.s, 0, i, state >> i & 1 ? 1 : -1);
        chains_refresh(&c);
        for (size_t j = 0; j < m->hidden; j++)
            log_psi += log(cosh(ng_mat_get(c.theta, 0, j)));
        double p = exp(2 * log_psi);
        sum += p * chains_energy(&c, 0, ng_mat_none());
        weights += p;
    }
    return sum / weights;
}
