#include "tests/support/fismo.h"

#include "lib/linalg/start.h"

enum { MORE = 4 }; /* vectors beyond the rank */

void fismo_open(fismo_state *state, size_t outputs, size_t inputs, fismo_rule rule)
{
    state->rule = rule;
    state->step = 0;
    state->p = test_mat(outputs, outputs, 0, NG_F64);
    state->q = test_mat(inputs, inputs, 0, NG_F64);
    state->m = test_mat(outputs, inputs, 0, NG_F64);
    state->u = test_mat((size_t)rule.rank, outputs > inputs ? outputs : inputs, 0, NG_F64);
    state->rho = 1;
    test_assign(state->p, dense_identity(outputs));
    test_assign(state->q, dense_identity(inputs));
}

void fismo_close(fismo_state *state)
{
    test_free(state->p);
    test_free(state->q);
    test_free(state->m);
    test_free(state->u);
}

ng_mat fismo_between(const fismo_state *state, double p, ng_mat x)
{
    return dense_mul(dense_mul(dense_power(state->p, p), 0, x, 0), 0, dense_power(state->q, p), 0);
}

/* factor <- gamma factor + (1 - gamma) (inner / count + mu tr(factor)/n I), then tr = n */
static void update_factor(ng_mat factor, ng_mat inner, double count, const fismo_rule *rule)
{
    double n = (double)factor.rows, shift = rule->damping * dense_trace(factor) / n;
    ng_mat fresh = dense_add(1 / count, inner, shift, dense_identity(factor.rows));
    ng_mat next = dense_add(rule->ema_decay, factor, 1 - rule->ema_decay, fresh);
    double scale = rule->unscaled ? 1 : n / dense_trace(next);
    test_assign(factor, dense_add(scale / 2, next, scale / 2, dense_transpose(next)));
}

/* ---- Low rank: the factor is kept dense here, and cut back ------------------------------- */

static ng_mat row(ng_mat m, size_t i)
{
    return ng_mat_block(m, i, 0, 1, m.cols);
}

/* The directions, and numbers without a pattern for those that are missing and for a few more. */
static ng_mat vectors(const fismo_state *state)
{
    size_t n = state->u.cols, k = state->u.rows + MORE;
    ng_mat v = dense_mat(k < n ? k : n, n);
    for (size_t i = 0; i < v.rows; i++)
        for (size_t j = 0; j < n; j++) {
            int there = i < state->u.rows && test_norm(row(state->u, i)) > 0;
            ng_mat_set(v, i, j,
                       there ? ng_mat_get(state->u, i, j)
                             : ngi_start_element(i * n + j) / sqrt((double)n));
        }
    return v;
}

/* a^power on the range of a, which is semidefinite */
static ng_mat range_power(ng_mat a, double power)
{
    ng_mat values, e, scaled;
    dense_eigh(&values, &e, a);
    scaled = dense_of(e);
    double largest = ng_mat_get(values, 0, a.rows - 1);
    for (size_t i = 0; i < a.rows; i++) {
        double value = ng_mat_get(values, 0, i);
        double f = value > 1e-12 * largest ? pow(value, power) : 0;
        test_assign(row(scaled, i), dense_scale(f, row(e, i)));
    }
    return dense_mul(e, 1, scaled, 0);
}

/* What the vectors see of a: a v^T (v a v^T)^+ v a. */
static ng_mat seen(ng_mat a, ng_mat v)
{
    ng_mat va = dense_mul(v, 0, a, 0), middle = dense_mul(va, 0, v, 1);
    middle = dense_add(0.5, middle, 0.5, dense_transpose(middle));
    ng_mat half = dense_mul(range_power(middle, -0.5), 0, va, 0);
    return dense_mul(half, 1, half, 0);
}

/* factor, a + shift I, <- the largest eigenvalues of what is seen of a, the trace, and shift */
static void cut(fismo_state *state, ng_mat factor, ng_mat a, double shift)
{
    ng_mat values, e;
    size_t n = a.rows, r = state->u.rows, kept = r;
    dense_eigh(&values, &e, seen(a, vectors(state)));
    double rest = dense_trace(a);
    for (size_t i = 0; i < r; i++) {
        double value = ng_mat_get(values, 0, n - 1 - i);
        int there = value > 1e-12 * ng_mat_get(values, 0, n - 1);
        test_assign(row(state->u, i), dense_scale(there, row(e, n - 1 - i)));
        rest -= value;
    }
    while (kept > 0 && ng_mat_get(values, 0, n - kept) <= rest / (double)(n - kept))
        rest += ng_mat_get(values, 0, n - kept--);
    state->rho = rest / (double)(n - kept);
    ng_mat next = dense_scale(state->rho, dense_identity(n));
    for (size_t i = 0; i < kept; i++)
        next = dense_add(1, next, ng_mat_get(values, 0, n - 1 - i) - state->rho,
                         dense_mul(row(e, n - 1 - i), 1, row(e, n - 1 - i), 0));
    state->rho += shift;
    test_assign(factor, dense_add(1, next, shift, dense_identity(n)));
    ng_assert_rel(dense_trace(factor), dense_trace(a) + (double)n * shift, 1e-12);
}

/* update_factor for the larger side */
static void update_low_rank(fismo_state *state, ng_mat factor, ng_mat inner, double count)
{
    const fismo_rule *rule = &state->rule;
    double n = (double)factor.rows, rest = 1 - rule->ema_decay;
    double shift = rest * rule->damping * dense_trace(factor) / n;
    ng_mat a = dense_add(1, factor, -state->rho, dense_identity(factor.rows));
    a = dense_add(rule->ema_decay, a, rest / count, inner);
    a = dense_add(0.5, a, 0.5, dense_transpose(a));
    cut(state, factor, a, rule->ema_decay * state->rho + shift);
    if (rule->unscaled)
        return;
    state->rho *= n / dense_trace(factor);
    test_assign(factor, dense_scale(n / dense_trace(factor), factor));
}

static void update(fismo_state *state, ng_mat factor, ng_mat inner, double count)
{
    size_t larger = state->u.cols;
    if (state->u.rows > 0 && factor.rows == larger && larger > state->u.rows)
        update_low_rank(state, factor, inner, count);
    else
        update_factor(factor, inner, count, &state->rule);
}

/* every so many steps, from the first on */
static int turn(const fismo_state *state, int every, int without)
{
    return !without && (every == 0 || state->step % every == 0);
}

static void update_p(fismo_state *state, ng_mat g)
{
    if (!turn(state, state->rule.every_p, state->rule.without_p))
        return;
    ng_mat solved = dense_mul(g, 0, dense_power(state->q, -1), 0);
    update(state, state->p, dense_mul(solved, 0, g, 1), (double)g.cols);
}

static void update_q(fismo_state *state, ng_mat g)
{
    if (!turn(state, state->rule.every_q, state->rule.without_q))
        return;
    ng_mat solved = dense_mul(dense_power(state->p, -1), 0, g, 0);
    update(state, state->q, dense_mul(g, 1, solved, 0), (double)g.rows);
}

/* the average takes x in; what the step follows */
static ng_mat average(fismo_state *state, ng_mat x)
{
    double beta = state->rule.momentum;
    test_assign(state->m, dense_add(beta, state->m, 1 - beta, x));
    return state->rule.nesterov ? dense_add(beta, state->m, 1 - beta, x) : dense_of(state->m);
}

ng_mat fismo_step(fismo_state *state, ng_mat g)
{
    double size = sqrt((double)g.rows * (double)g.cols), norm = test_norm(g);
    if (state->rule.rms && norm > 0)
        g = dense_scale(size / norm, g);
    if (state->rule.q_first)
        update_q(state, g);
    update_p(state, g);
    if (!state->rule.q_first)
        update_q(state, g);
    state->step++;
    ng_mat x = state->rule.whitened ? average(state, fismo_between(state, -0.5, g))
                                    : fismo_between(state, -0.5, average(state, g));
    return fismo_between(state, -0.5, dense_polar(x, 1e-13));
}
