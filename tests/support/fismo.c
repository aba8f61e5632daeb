#include "tests/support/fismo.h"

void fismo_open(fismo_state *state, size_t outputs, size_t inputs, fismo_rule rule)
{
    state->rule = rule;
    state->step = 0;
    state->p = test_mat(outputs, outputs, 0, NG_F64);
    state->q = test_mat(inputs, inputs, 0, NG_F64);
    state->m = test_mat(outputs, inputs, 0, NG_F64);
    test_assign(state->p, dense_identity(outputs));
    test_assign(state->q, dense_identity(inputs));
}

void fismo_close(fismo_state *state)
{
    test_free(state->p);
    test_free(state->q);
    test_free(state->m);
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
    update_factor(state->p, dense_mul(solved, 0, g, 1), (double)g.cols, &state->rule);
}

static void update_q(fismo_state *state, ng_mat g)
{
    if (!turn(state, state->rule.every_q, state->rule.without_q))
        return;
    ng_mat solved = dense_mul(dense_power(state->p, -1), 0, g, 0);
    update_factor(state->q, dense_mul(g, 1, solved, 0), (double)g.rows, &state->rule);
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
