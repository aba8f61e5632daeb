/* The transfer matrix: sectors and their eigenbases, two neighbouring rows, and
 * the tables filled from traces. */
#include "lib/lab/lattice/transfer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/try.h"

static size_t group_order(size_t colours)
{
    return colours == 3 ? 1 : colours;
}

static void set_sizes(ngi_transfer *t, const ng_lattice *l)
{
    t->length = l->length;
    t->colours = ng_lattice_states(l->model);
    t->group = group_order(t->colours);
    t->full = ngi_power(t->colours, t->length);
    t->m = t->full == SIZE_MAX ? SIZE_MAX : t->full / t->group;
    t->sectors = t->group == 1 ? 1 : 2;
    t->multiplicity[0] = 1;
    t->multiplicity[1] = (double)t->group - 1;
    t->bonds = 2 * t->length;
    t->low = t->colours == 2 ? -1 : 0;
    t->high = 1;
    t->weight = exp(l->coupling * (t->high - t->low));
}

/* Everything that lasts, in the order of cut. */
static size_t lasting_bytes(const ngi_transfer *t)
{
    size_t bytes = ngi_mul(t->sectors, ng_work_mat_size(t->m, t->m, NG_F64));
    bytes = ngi_add(bytes, ngi_mul(t->sectors, ng_work_mat_size(1, t->m, NG_F64)));
    bytes = ngi_add(bytes, ng_work_mat_size(t->m, t->full, NG_F64));
    bytes = ngi_add(bytes, ng_work_bytes_size(ngi_mul(ngi_mul(t->m, t->full), 4)));
    bytes = ngi_add(bytes, ng_work_mat_size(1, t->full, NG_F64));
    bytes = ngi_add(bytes, ng_work_mat_size(1, t->bonds + 1, NG_F64));
    bytes = ngi_add(bytes, ng_work_mat_size(2 * t->bonds, t->bonds, NG_F64));
    bytes = ngi_add(bytes, ng_work_mat_size(2 * t->length, t->bonds, NG_F64));
    return ngi_add(
        bytes, ng_work_mat_size(2 * (t->length / 3 + 1) * t->bonds, t->length * t->bonds, NG_F64));
}

/* The diagonalisation and the traces follow each other. */
static size_t passing_bytes(const ngi_transfer *t)
{
    size_t first =
        ngi_add(ngi_mul(2, ng_work_mat_size(t->m, t->m, NG_F64)), ng_eigh_work(t->m, NG_F64));
    size_t second = ngi_transfer_traces_work(t->m, t->length);
    return first > second ? first : second;
}

size_t ng_lattice_transfer_memory(const ng_lattice *lattice)
{
    ngi_transfer t = {.length = 0};
    if (ngi_lattice_check(lattice, NULL) != NG_OK || ng_lattice_dimension(lattice->model) != 2 ||
        lattice->length > 16)
        return SIZE_MAX;
    set_sizes(&t, lattice);
    if (t.m > (size_t)1 << 30)
        return SIZE_MAX;
    size_t bytes = ngi_add(lasting_bytes(&t), passing_bytes(&t));
    return ngi_add(bytes, ngi_cumulants_memory(2, lattice->length));
}

static ng_status cut(ngi_transfer *t, ng_error *error)
{
    ng_mat half, powers, same, two, three, lambda[NGI_PARITIES];
    void *satisfied;
    const struct {
        ng_mat *mat;
        size_t rows, cols;
    } cuts[] = {
        {&t->vectors[0], t->m, t->m},
        {&lambda[0], 1, t->m},
        {&t->joint, t->m, t->full},
        {&half, 1, t->full},
        {&powers, 1, t->bonds + 1},
        {&same, 2 * t->bonds, t->bonds},
        {&two, 2 * t->length, t->bonds},
        {&three, 2 * (t->length / 3 + 1) * t->bonds, t->length * t->bonds},
        {&t->vectors[1], t->m, t->m}, /* with two sectors */
        {&lambda[1], 1, t->m},
    };
    size_t count = sizeof cuts / sizeof *cuts - (t->sectors == 2 ? 0 : 2);
    TRY(ng_work_create(&t->work, ngi_add(lasting_bytes(t), passing_bytes(t)), error));
    TRY(ng_work_bytes(&t->work, &satisfied, t->m * t->full * sizeof *t->satisfied, error));
    for (size_t i = 0; i < count; i++) {
        TRY(ng_work_mat(&t->work, cuts[i].mat, cuts[i].rows, cuts[i].cols, NG_F64, error));
        ng_fill(*cuts[i].mat, 0);
    }
    t->satisfied = satisfied;
    t->half = half.data;
    t->powers = powers.data;
    t->same = same.data;
    t->two = two.data;
    t->three = three.data;
    for (size_t s = 0; s < t->sectors; s++)
        t->lambda[s] = lambda[s].data;
    return NG_OK;
}

/* ---- Rows ------------------------------------------------------------------- */

/* State number of column a m + r. */
static size_t state_of(const ngi_transfer *t, size_t column)
{
    size_t a = column / t->m, state = column % t->m, changed = 0, place = 1;
    for (size_t x = 0; x < t->length; x++, place *= t->colours, state /= t->colours)
        changed += (state % t->colours ^ a) * place;
    return changed;
}

/* Bit x: sites x + shift of one row and x of the other have one colour. */
static uint32_t compare(const ngi_transfer *t, size_t one, size_t other, size_t shift)
{
    uint32_t bits = 0;
    for (size_t x = 0; x < t->length; x++)
        bits |= (uint32_t)(ngi_site_digit(t->colours, one, (x + shift) % t->length) ==
                           ngi_site_digit(t->colours, other, x))
                << x;
    return bits;
}

/* Weights in units that keep the largest one at 1. */
static void weigh_rows(ngi_transfer *t)
{
    const double unit = t->weight > 1 ? (double)t->length : 0, log_weight = log(t->weight);
    t->top = 1;
    for (size_t count = 0; count <= t->bonds; count++)
        t->powers[count] = exp(log_weight * ((double)count - unit));
    for (size_t column = 0; column < t->full; column++) {
        size_t state = state_of(t, column);
        int own = __builtin_popcount(compare(t, state, state, 1));
        t->half[column] = exp(log_weight * (own - unit) / 2);
        for (size_t i = 0; i < t->m; i++)
            t->satisfied[i * t->full + column] = compare(t, i, i, 1) | compare(t, i, state, 0)
                                                                           << t->length;
    }
}

/* vectors and lambda of one sector; lambda in units of the largest of all,
 * which the first sector has. joint(i, a m + r) += chi(a) P(r, i) with
 * P = T^(L-1). */
static ng_status diagonalise(ngi_transfer *t, size_t sector, ng_error *error)
{
    const size_t m = t->m;
    double *lambda = t->lambda[sector], *joint = t->joint.data;
    ng_mat matrix, scratch, v = t->vectors[sector];
    TRY(ng_work_mat(&t->work, &matrix, m, m, NG_F64, error));
    TRY(ng_work_mat(&t->work, &scratch, m, m, NG_F64, error));
    ng_fill(matrix, 0);
    for (size_t i = 0; i < m; i++)
        for (size_t column = 0; column < t->full; column++)
            ((double *)matrix.data)[i * m + column % m] +=
                ngi_character(sector, column / m) * ngi_transfer_entry(t, i, column);
    TRY(ng_eigh(ng_f64(lambda, 1, m), v, NULL, matrix, &t->work, error));
    double top = sector == 0 ? lambda[m - 1] : 1;
    t->top *= top;
    for (size_t k = 0; k < m; k++) {
        lambda[k] /= top;
        for (size_t i = 0; i < m; i++)
            ng_mat_set(scratch, k, i, ng_mat_get(v, k, i) * pow(lambda[k], (double)t->length - 1));
    }
    TRY(ng_gemm(matrix, v, NG_TRANS, scratch, NG_NOTRANS, 1, 0, error));
    for (size_t i = 0; i < m; i++)
        for (size_t column = 0; column < t->full; column++)
            joint[i * t->full + column] += t->multiplicity[sector] *
                                           ngi_character(sector, column / m) *
                                           ng_mat_get(matrix, i, column % m);
    return NG_OK;
}

/* ---- Two neighbouring rows -------------------------------------------------- */

/* joint <- the probabilities of two rows; Z and <T>. */
static ng_status normalise(ngi_transfer *t, ng_error *error)
{
    double *joint = t->joint.data, satisfied = 0;
    t->partition = 0;
    for (size_t i = 0; i < t->m; i++) {
        double sum = 0, own = 0;
        for (size_t column = 0; column < t->full; column++) {
            double *p = &joint[i * t->full + column];
            *p *= ngi_transfer_entry(t, i, column);
            sum += *p;
            own += *p * __builtin_popcount(t->satisfied[i * t->full + column]);
        }
        t->partition += sum;
        satisfied += own;
    }
    if (!(t->partition > 0 && isfinite(t->partition)))
        return ng_error_set(error, NG_ERANGE, "coupling: the weights underflow");
    for (size_t i = 0; i < t->m * t->full; i++)
        joint[i] /= t->partition;
    t->mean = t->low + (t->high - t->low) * satisfied / t->partition / (double)t->bonds;
    return NG_OK;
}

/* One row's bonds with each other and the row below: same[a][b][c], row sums
 * first, so that rounding does not pile up. */
static void same_row(ngi_transfer *t)
{
    const size_t bonds = t->bonds, size = 2 * bonds * bonds;
    double delta[64], row[2 * 64 * 64];
    for (size_t i = 0; i < t->m; i++) {
        memset(row, 0, size * sizeof *row);
        for (size_t column = 0; column < t->full; column++) {
            for (size_t b = 0; b < bonds; b++)
                delta[b] = ngi_transfer_delta(t, i, column, b);
            for (size_t a = 0; a < 2; a++)
                for (size_t b = 0; b < bonds; b++) {
                    double p = ng_mat_get(t->joint, i, column) * delta[a * t->length] * delta[b];
                    double *to = row + (a * bonds + b) * bonds;
                    for (size_t c = 0; c < bonds; c++)
                        to[c] += p * delta[c];
                }
        }
        for (size_t k = 0; k < size; k++)
            t->same[k] += row[k];
    }
}

/* E (T_a - <T>)(T_b - <T>) in one row. */
static double same_pair(const ngi_transfer *t, size_t a, size_t b)
{
    double sum = 0;
    for (size_t i = 0; i < t->m; i++) {
        double row = 0;
        for (size_t column = 0; column < t->full; column++)
            row += ng_mat_get(t->joint, i, column) * ngi_transfer_delta(t, i, column, a) *
                   ngi_transfer_delta(t, i, column, b);
        sum += row;
    }
    return sum;
}

/* ---- Tables ----------------------------------------------------------------- */

/* Number of bond (species, x) in its row when the first is moved to the origin. */
static size_t number(const ngi_transfer *t, size_t species, size_t x, size_t origin)
{
    return species * t->length + (x + t->length - origin) % t->length;
}

/* The cumulant of bonds (species[j], x[j]) in rows y[j]: cyclically by rows,
 * beginning where the next one is nearest. */
static double look_up(const ngi_transfer *t, const size_t species[3], const size_t x[3],
                      const size_t y[3])
{
    const uint32_t rows[3] = {(uint32_t)y[0], (uint32_t)y[1], (uint32_t)y[2]};
    size_t o[3], gap[3], k = 0;
    ngi_sort3(o, rows);
    gap[0] = y[o[1]] - y[o[0]];
    gap[1] = y[o[2]] - y[o[1]];
    gap[2] = t->length - gap[0] - gap[1];
    for (size_t j = 1; j < 3; j++)
        if (gap[j] < gap[k])
            k = j;
    size_t a = o[k], b = o[(k + 1) % 3], c = o[(k + 2) % 3], p = gap[k], q = gap[(k + 1) % 3];
    size_t bond_b = number(t, species[b], x[b], x[a]), bond_c = number(t, species[c], x[c], x[a]);
    if (gap[0] + gap[1] == 0)
        return t->same[(species[a] * t->bonds + bond_b) * t->bonds + bond_c];
    return t->three[ngi_transfer_at(t, species[a], p, bond_b, q) + bond_c];
}

static void fill(const ngi_transfer *t, ng_cumulants *out)
{
    const size_t n = t->length * t->length;
    out->mean = t->mean;
    for (size_t ab = 0; ab < 4; ab++)
        for (size_t x = 0; x < n; x++) {
            size_t bond = number(t, ab % 2, x % t->length, 0), q = x / t->length;
            out->fisher[ab * n + x] = q == 0 ? same_pair(t, ab / 2 * t->length, bond)
                                             : t->two[(ab / 2 * t->length + q) * t->bonds + bond];
        }
    for (size_t abc = 0; abc < 8; abc++)
        for (size_t u = 0; u < n; u++)
            for (size_t v = 0; v < n; v++) {
                const size_t species[3] = {abc / 4, abc / 2 % 2, abc % 2};
                const size_t x[3] = {0, u % t->length, v % t->length};
                const size_t y[3] = {0, u / t->length, v / t->length};
                out->third[(abc * n + u) * n + v] = look_up(t, species, x, y);
            }
}

static ng_status run(ngi_transfer *t, ng_error *error)
{
    TRY(cut(t, error));
    const size_t lasting = t->work.used; /* scratch of each sector comes after it */
    weigh_rows(t);
    for (size_t s = 0; s < t->sectors; s++, t->work.used = lasting)
        TRY(diagonalise(t, s, error));
    TRY(normalise(t, error));
    same_row(t);
    for (size_t s = 0; s < t->sectors; s++, t->work.used = lasting)
        TRY(ngi_transfer_traces(t, s, error));
    return NG_OK;
}

ng_status ng_lattice_transfer(ng_cumulants *cumulants, const ng_lattice *lattice, size_t memory,
                              ng_error *error)
{
    ngi_transfer t = {.length = 0};
    if (cumulants == NULL)
        return ng_error_set(error, NG_EARG, "cumulants is NULL");
    memset(cumulants, 0, sizeof *cumulants);
    TRY(ngi_lattice_check(lattice, error));
    if (ng_lattice_dimension(lattice->model) != 2)
        return ng_error_set(error, NG_EUNSUPPORTED, "model: no transfer matrix for %s",
                            ng_lattice_name(lattice->model));
    TRY(ngi_memory_check(ng_lattice_transfer_memory(lattice), memory, "transfer matrix", lattice,
                         error));
    set_sizes(&t, lattice);
    if (!(t.weight > 1e-30 && t.weight < 1e30))
        return ng_error_set(error, NG_ERANGE, "coupling: the weights underflow at J = %g",
                            lattice->coupling);
    ng_cumulants out;
    TRY(ng_cumulants_create(&out, 2, lattice->length, 1, error));
    ng_status status = run(&t, error);
    if (status == NG_OK) {
        fill(&t, &out);
        *cumulants = out;
    } else {
        ng_cumulants_destroy(&out);
    }
    ng_work_destroy(&t.work);
    return status;
}
