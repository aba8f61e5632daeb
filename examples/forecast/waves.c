/* The waves, their best forecast and the simple ones. */
#include <math.h>

#include "examples/forecast/forecast.h"

enum { BURN_IN = 200 };

static double coefficient(size_t i, size_t j)
{
    size_t away = (i + NODES - j) % NODES;
    return 0.85 * (away == 0 ? 0.6 : away == 1 || away == NODES - 1 ? 0.2 : 0);
}

static double pattern(size_t node, size_t hour)
{
    const double turn = 4 * acos(0), t = (double)(hour % DAY) / DAY, phase = (double)node / NODES;
    return 2 * sin(turn * (t + phase)) + sin(turn * (2 * t - phase));
}

waves waves_make(const ng_random *random)
{
    waves w = {paper_mat(HOURS, NODES), paper_mat(HOURS, NODES), paper_mat(DAY, NODES)};
    double e[NODES] = {0}, next[NODES], z[NODES];
    for (size_t t = 0; t < BURN_IN + HOURS; t++) {
        random->fill_normal(random->data, z, NODES);
        for (size_t i = 0; i < NODES; i++) {
            next[i] = NOISE * z[i];
            for (size_t j = 0; j < NODES; j++)
                next[i] += coefficient(i, j) * e[j];
        }
        for (size_t i = 0; i < NODES; i++) {
            e[i] = next[i];
            if (t < BURN_IN)
                continue;
            size_t hour = t - BURN_IN;
            double x = pattern(i, hour) + e[i];
            ng_mat_set(w.e, hour, i, e[i]);
            ng_mat_set(w.x, hour, i, x);
            ng_mat_set(w.average, hour % DAY, i,
                       ng_mat_get(w.average, hour % DAY, i) + x * DAY / HOURS);
        }
    }
    return w;
}

/* row <- row A; A is symmetric */
static void advance(double row[NODES])
{
    double next[NODES] = {0};
    for (size_t i = 0; i < NODES; i++)
        for (size_t j = 0; j < NODES; j++)
            next[i] += coefficient(i, j) * row[j];
    for (size_t i = 0; i < NODES; i++)
        row[i] = next[i];
}

/* the mean size of a normal error: sqrt(2/pi) of its deviation; variances add |row of A^j|^2
 * NOISE^2 */
static double error_after(size_t hours)
{
    double row[NODES] = {1}, variance = 0;
    for (size_t j = 0; j < hours; j++) {
        for (size_t i = 0; i < NODES; i++)
            variance += NOISE * NOISE * row[i] * row[i];
        advance(row);
    }
    return sqrt(variance / acos(0));
}

void bayes_error(double error[AHEAD])
{
    for (size_t h = 0; h < AHEAD; h++)
        error[h] = error_after(h + 1);
}

void stationary_error(double *error)
{
    *error = error_after(400);
}

size_t test_window(size_t i)
{
    return i * (HOURS - WINDOW - AHEAD) / TESTS;
}

/* The mean of |forecast - x| behind the windows of the test. */
static void errors_of(double error[AHEAD], const waves *test, const waves *train, int kind)
{
    for (size_t h = 0; h < AHEAD; h++)
        error[h] = 0;
    for (size_t window = 0; window < TESTS; window++) {
        const size_t t = test_window(window) + WINDOW - 1;
        double e[NODES];
        for (size_t i = 0; i < NODES; i++)
            e[i] = ng_mat_get(test->e, t, i);
        for (size_t h = 0; h < AHEAD; h++) {
            advance(e);
            for (size_t i = 0; i < NODES; i++) {
                size_t then = t + h + 1;
                double forecast = kind == 0   ? pattern(i, then) + e[i]
                                  : kind == 1 ? ng_mat_get(test->x, t, i)
                                              : ng_mat_get(train->average, then % DAY, i);
                error[h] += fabs(forecast - ng_mat_get(test->x, then, i)) / NODES / TESTS;
            }
        }
    }
}

void conditional_error(double error[AHEAD], const waves *test)
{
    errors_of(error, test, NULL, 0);
}

void persistence_error(double error[AHEAD], const waves *test)
{
    errors_of(error, test, NULL, 1);
}

void average_error(double error[AHEAD], const waves *test, const waves *train)
{
    errors_of(error, test, train, 2);
}
