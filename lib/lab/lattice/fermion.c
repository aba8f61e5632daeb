/* The 2-D Ising model on the torus as free fermions.
 *
 * With t = tanh J the partition function is, up to a factor, a signed sum of
 * Pfaffians of antisymmetric matrices A, one a choice of periodic (P) or
 * antiperiodic (A) boundaries: -PP + PA + AP + AA. A has four Majorana modes
 * R, L, U, D a site; the entry t of a bond runs from R(x) to L(x + e_0), from
 * U(x) to D(x + e_1). With G = A^-1 and B_a = dA/dt_a the derivatives of one
 * log Pf are G_qp, -tr(G B_a G B_b)/2 and tr(G B_a G B_b G B_c); cumulants of
 * the mixture of sectors follow by the law of total cumulance.
 *
 * PP vanishes at the critical coupling. A Pfaffian is linear in an
 * antisymmetric perturbation of rank two, so PP is, at every J, the mean of two
 * sectors with the wave k = 0 perturbed by +-EPSILON, which never vanish. */
#include "lib/lab/lattice/fermion.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/lab/lattice/lattice.h"

enum { R, L, U, D, MODES, EPSILON = 2 };

/* The modes of a bond's ends: p at x, q at x + e. */
static const int mode_p[2] = {R, U}, mode_q[2] = {L, D};

/* weight of the sector in Z, its boundaries and its perturbation */
static const struct {
    double weight;
    int antiperiodic[2];
    double epsilon;
} kind[NGI_SECTORS] = {{-0.5, {0, 0}, EPSILON},
                       {-0.5, {0, 0}, -EPSILON},
                       {1, {0, 1}, 0},
                       {1, {1, 0}, 0},
                       {1, {1, 1}, 0}};

/* ---- One wave --------------------------------------------------------------- */

/* The half-integer wave j of an axis: k = pi (2 j + antiperiodic)/L. */
static double angle_of(size_t j, int antiperiodic, size_t length)
{
    return 3.14159265358979323846 * (double)(2 * j + (size_t)antiperiodic) / (double)length;
}

static void fill_wave(ngi_complex a[MODES][MODES], double t, double k0, double k1, double epsilon)
{
    static const double site[MODES][MODES] = {
        {0, 1, -1, -1}, {-1, 0, 1, -1}, {1, -1, 0, 1}, {1, 1, -1, 0}};
    for (int i = 0; i < MODES; i++)
        for (int j = 0; j < MODES; j++)
            a[i][j] = (ngi_complex){site[i][j], 0};
    a[R][L].re += t * cos(k0) + epsilon;
    a[L][R].re -= t * cos(k0) + epsilon;
    a[R][L].im = a[L][R].im = t * sin(k0);
    a[U][D].re += t * cos(k1);
    a[D][U].re -= t * cos(k1);
    a[U][D].im = a[D][U].im = t * sin(k1);
}

/* y <- y - f x, rows of 4 */
static void subtract_row(ngi_complex *y, const ngi_complex *x, ngi_complex f)
{
    for (int j = 0; j < MODES; j++) {
        y[j].re -= f.re * x[j].re - f.im * x[j].im;
        y[j].im -= f.re * x[j].im + f.im * x[j].re;
    }
}

static void scale_row(ngi_complex *x, ngi_complex f)
{
    for (int j = 0; j < MODES; j++)
        x[j] = (ngi_complex){f.re * x[j].re - f.im * x[j].im, f.re * x[j].im + f.im * x[j].re};
}

static double size_of(ngi_complex z)
{
    return hypot(z.re, z.im);
}

/* inverse <- a^-1 by Gauss and Jordan with row exchanges; a is destroyed */
static void invert(ngi_complex inverse[MODES][MODES], ngi_complex a[MODES][MODES])
{
    memset(inverse, 0, sizeof(ngi_complex[MODES][MODES]));
    for (int i = 0; i < MODES; i++)
        inverse[i][i].re = 1;
    for (int c = 0; c < MODES; c++) {
        int pivot = c;
        ngi_complex row[MODES];
        for (int i = c + 1; i < MODES; i++)
            if (size_of(a[i][c]) > size_of(a[pivot][c]))
                pivot = i;
        if (pivot != c) {
            memcpy(row, a[c], sizeof row);
            memcpy(a[c], a[pivot], sizeof row);
            memcpy(a[pivot], row, sizeof row);
            memcpy(row, inverse[c], sizeof row);
            memcpy(inverse[c], inverse[pivot], sizeof row);
            memcpy(inverse[pivot], row, sizeof row);
        }
        double norm = a[c][c].re * a[c][c].re + a[c][c].im * a[c][c].im;
        ngi_complex one = {a[c][c].re / norm, -a[c][c].im / norm};
        scale_row(a[c], one);
        scale_row(inverse[c], one);
        for (int i = 0; i < MODES; i++)
            if (i != c) {
                ngi_complex f = a[i][c];
                subtract_row(a[i], a[c], f);
                subtract_row(inverse[i], inverse[c], f);
            }
    }
}

/* ---- One sector -------------------------------------------------------------- */

/* log |Pf| and its sign, Pf = 1 at t = 0. A wave that is not its own negative
 * shares with that the factor det A_k = (1+t^2)^2 - 2t(1-t^2)(cos k0 + cos k1). */
static double log_pfaffian(double *sign, double t, size_t length, int sector)
{
    double sum = 0;
    const int *anti = kind[sector].antiperiodic;
    *sign = 1;
    for (size_t i = 0; i < length; i++)
        for (size_t j = 0; j < length; j++) {
            double c0 = cos(angle_of(i, anti[0], length)), c1 = cos(angle_of(j, anti[1], length));
            int own =
                (2 * i + (size_t)anti[0]) % length == 0 && (2 * j + (size_t)anti[1]) % length == 0;
            if (own) {
                double epsilon = i == 0 && j == 0 ? kind[sector].epsilon : 0;
                c0 = c0 < 0 ? -1 : 1;
                c1 = c1 < 0 ? -1 : 1;
                double pfaffian = 2 - (1 + t * c0 + epsilon) * (1 + t * c1);
                sum += log(fabs(pfaffian));
                *sign = pfaffian < 0 ? -*sign : *sign;
            } else
                sum += 0.5 * log((1 + t * t) * (1 + t * t) - 2 * t * (1 - t * t) * (c0 + c1));
        }
    return sum;
}

/* g[mode][mode][x] = 1/n sum_k (A_k^-1) e^(-i k x), real; x in [0, L)^2. */
static void green(double *g, ngi_complex *waves, ngi_complex *half, const ngi_complex *unit,
                  double t, size_t length, int sector)
{
    size_t sites = length * length;
    const int *anti = kind[sector].antiperiodic;
    for (size_t k = 0; k < sites; k++) {
        ngi_complex a[MODES][MODES], inverse[MODES][MODES];
        fill_wave(a, t, angle_of(k / length, anti[0], length),
                  angle_of(k % length, anti[1], length), k == 0 ? kind[sector].epsilon : 0);
        invert(inverse, a);
        for (int m = 0; m < MODES * MODES; m++)
            waves[(size_t)m * sites + k] = inverse[m / MODES][m % MODES];
    }
    for (int m = 0; m < MODES * MODES; m++) {
        const ngi_complex *w = waves + (size_t)m * sites;
        for (size_t k0 = 0; k0 < length; k0++)
            for (size_t x1 = 0; x1 < length; x1++) {
                ngi_complex sum = {0, 0};
                for (size_t k1 = 0; k1 < length; k1++) {
                    ngi_complex v = w[k0 * length + k1];
                    ngi_complex u = unit[(2 * k1 + (size_t)anti[1]) * x1 % (2 * length)];
                    sum.re += v.re * u.re - v.im * u.im;
                    sum.im += v.re * u.im + v.im * u.re;
                }
                half[k0 * length + x1] = sum;
            }
        for (size_t x0 = 0; x0 < length; x0++)
            for (size_t x1 = 0; x1 < length; x1++) {
                double sum = 0;
                for (size_t k0 = 0; k0 < length; k0++) {
                    ngi_complex v = half[k0 * length + x1];
                    ngi_complex u = unit[(2 * k0 + (size_t)anti[0]) * x0 % (2 * length)];
                    sum += v.re * u.re - v.im * u.im;
                }
                g[(size_t)m * sites + x0 * length + x1] = sum / (double)sites;
            }
    }
}

/* G from mode m at the origin to mode n at x, components in [-2L, 2L): a way
 * round an antiperiodic axis changes the sign. */
static double green_at(const double *g, int sector, size_t length, int m, int n, const int *x)
{
    double sign = 1;
    size_t at = 0;
    for (int axis = 0; axis < 2; axis++) {
        int l = (int)length, turns = (x[axis] + 2 * l) / l - 2;
        if (kind[sector].antiperiodic[axis] && turns % 2 != 0)
            sign = -sign;
        at = at * length + (size_t)(x[axis] - turns * l);
    }
    return sign * g[((size_t)(m * MODES + n) * length * length) + at];
}

/* M_ab[i][j], a = (0, alpha), b = (r, beta): i = 0 starts at q_a, i = 1 at p_a
 * with a minus; j = 0 ends at p_b, j = 1 at q_b. Then
 * tr(G B_a G B_b G B_c) = tr(M_ab M_bc M_ca), and likewise for two bonds. */
static double bond_green(const double *g, int sector, size_t length, int alpha, int beta, int i,
                         int j, const int *r)
{
    int x[2] = {r[0], r[1]};
    if (i == 0)
        x[alpha] -= 1;
    if (j == 1)
        x[beta] += 1;
    double value = green_at(g, sector, length, i == 0 ? mode_q[alpha] : mode_p[alpha],
                            j == 0 ? mode_p[beta] : mode_q[beta], x);
    return i == 0 ? value : -value;
}

static void fill_bonds(ngi_fermion *f, const double *g, int sector)
{
    int wide = (int)f->wide, edge = (int)f->length - 1;
    for (int pair = 0; pair < 4; pair++) {
        int alpha = pair / 2, beta = pair % 2;
        for (int ij = 0; ij < 4; ij++) {
            double *to = f->bond[sector][pair] + (size_t)ij * f->wide * f->wide;
            for (int x0 = 0; x0 < wide; x0++)
                for (int x1 = 0; x1 < wide; x1++) {
                    int r[2] = {x0 - edge, x1 - edge};
                    *to++ = bond_green(g, sector, f->length, alpha, beta, ij / 2, ij % 2, r);
                }
        }
    }
    for (int alpha = 0; alpha < 2; alpha++) {
        int back[2] = {alpha == 0 ? -1 : 0, alpha == 1 ? -1 : 0};
        f->mean[sector][alpha] = green_at(g, sector, f->length, mode_q[alpha], mode_p[alpha], back);
    }
}

/* ---- The mixture --------------------------------------------------------------- */

static void fill_shares(ngi_fermion *f)
{
    double logs[NGI_SECTORS], sign[NGI_SECTORS], top = -INFINITY, sum = 0;
    for (int s = 0; s < NGI_SECTORS; s++) {
        logs[s] = log_pfaffian(&sign[s], f->t, f->length, s);
        top = fmax(top, logs[s]);
    }
    for (int s = 0; s < NGI_SECTORS; s++) {
        f->share[s] = kind[s].weight * sign[s] * exp(logs[s] - top);
        sum += f->share[s];
    }
    for (int s = 0; s < NGI_SECTORS; s++)
        f->share[s] /= sum;
}

/* tr(G B_a G B_b) of one sector at an index of the wide table, both bonds at
 * fixed directions: M_ba(-r)[j][i] is M_ab(r)[1-j'][1-i'] up to signs, so that
 * the trace needs one table: sum_ij s_i s_j M[i][j] M[1-i][1-j], s = (+, -). */
static double trace_two(const ngi_fermion *f, int sector, int pair, size_t at)
{
    const double *m = f->bond[sector][pair] + at;
    size_t step = f->wide * f->wide;
    return 2 * (m[0] * m[3 * step] - m[step] * m[2 * step]);
}

/* pair[a][b][r]: second cumulants of t-derivatives; mixed[a][bc][r] = the
 * covariance over sectors of bond a's mean with the cumulant of b and c */
static void fill_pairs(ngi_fermion *f)
{
    size_t step = f->wide * f->wide;
    for (int s = 0; s < NGI_SECTORS; s++)
        for (int alpha = 0; alpha < 2; alpha++)
            f->overall[alpha] += f->share[s] * f->mean[s][alpha];
    for (int pair = 0; pair < 4; pair++)
        for (size_t at = 0; at < step; at++)
            for (int s = 0; s < NGI_SECTORS; s++) {
                double a = f->mean[s][pair / 2] - f->overall[pair / 2];
                double b = f->mean[s][pair % 2] - f->overall[pair % 2];
                double c = -0.5 * trace_two(f, s, pair, at);
                f->pair[pair][at] += f->share[s] * (c + a * b);
                for (int alpha = 0; alpha < 2; alpha++)
                    f->mixed[alpha][pair][at] +=
                        f->share[s] * (f->mean[s][alpha] - f->overall[alpha]) * c;
            }
    for (int leg = 0; leg < 8; leg++)
        for (int s = 0; s < NGI_SECTORS; s++)
            f->constant[leg] += f->share[s] * (f->mean[s][leg / 4] - f->overall[leg / 4]) *
                                (f->mean[s][leg / 2 % 2] - f->overall[leg / 2 % 2]) *
                                (f->mean[s][leg % 2] - f->overall[leg % 2]);
}

/* ---- Create, destroy -------------------------------------------------------------- */

size_t ngi_fermion_numbers(size_t length)
{
    size_t wide = 2 * length - 1, sites = length * length;
    return wide * wide * (NGI_SECTORS * 16 + 12) + sites * (MODES * MODES * 3 + 2) + 4 * length;
}

void ngi_fermion_destroy(ngi_fermion *f)
{
    free(f->numbers);
    memset(f, 0, sizeof *f);
}

ng_status ngi_fermion_create(ngi_fermion *f, size_t length, double coupling, ng_error *error)
{
    memset(f, 0, sizeof *f);
    size_t wide = 2 * length - 1, step = wide * wide, sites = length * length;
    f->numbers = calloc(ngi_fermion_numbers(length), sizeof *f->numbers);
    if (f->numbers == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for free fermions at L = %zu", length);
    double *next = f->numbers;
    f->length = length;
    f->wide = wide;
    f->t = tanh(coupling);
    for (int s = 0; s < NGI_SECTORS; s++)
        for (int pair = 0; pair < 4; pair++, next += 4 * step)
            f->bond[s][pair] = next;
    for (int pair = 0; pair < 4; pair++, next += step)
        f->pair[pair] = next;
    for (int leg = 0; leg < 8; leg++, next += step)
        f->mixed[leg / 4][leg % 4] = next;
    double *g = next;
    ngi_complex *waves = (ngi_complex *)(g + MODES * MODES * sites);
    ngi_complex *half = waves + MODES * MODES * sites, *unit = half + sites;
    for (size_t i = 0; i < 2 * length; i++) {
        double angle = angle_of(i, 0, 2 * length);
        unit[i] = (ngi_complex){cos(angle), -sin(angle)};
    }
    for (int s = 0; s < NGI_SECTORS; s++) {
        green(g, waves, half, unit, f->t, length, s);
        fill_bonds(f, g, s);
    }
    fill_shares(f);
    fill_pairs(f);
    return NG_OK;
}
