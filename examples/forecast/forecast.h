/* Waves on a ring, and a graph GRU with prototypes that forecasts them. */
#ifndef EXAMPLES_FORECAST_H
#define EXAMPLES_FORECAST_H

#include "examples/support/paper.h"

/* NODES on a ring, DAY hours; WINDOW hours are seen, AHEAD are forecast. */
enum { NODES = 12, DAY = 24, WINDOW = 12, AHEAD = 3, HOURS = 2400 };

/* ---- waves.c --------------------------------------------------------------------------------- */

/* x_t = pattern(node, hour of the day) + e_t, e_{t+1} = A e_t + N(0, NOISE^2), A = 0.85 (0.6 I +
 * 0.4 mean of both neighbours) */
#define NOISE 0.3

typedef struct {
    ng_mat x;       /* HOURS x NODES */
    ng_mat e;       /* the deviation in it */
    ng_mat average; /* DAY x NODES: the mean of x at that hour */
} waves;

waves waves_make(const ng_random *random);

/* The test: so many windows, evenly over the hours; where window i begins. */
enum { TESTS = 512 };
size_t test_window(size_t i);

/* Mean absolute errors at 1 ... AHEAD hours: of the conditional mean and of the mean pattern, in
 * closed form; and in a test: of the exact conditional mean, of persistence, and of the average of
 * the training hours. */
void bayes_error(double error[AHEAD]);
void stationary_error(double *error);
void conditional_error(double error[AHEAD], const waves *test);
void persistence_error(double error[AHEAD], const waves *test);
void average_error(double error[AHEAD], const waves *test, const waves *train);

/* ---- net.c
 * ----------------------------------------------------------------------------------------- */

/* A GRU whose products are Chebyshev graph convolutions of order 3; its last state h asks
 * prototypes P with q = h Wq, and the forecast is the historical average plus [h, softmax(q P^T) P]
 * Wo + bo. */
enum { HIDDEN = 12, INPUTS = 2, QUERY = 8, PROTOTYPES = 8, BATCH = 32, ROWS = BATCH * NODES };
enum { WZR, BZR, WC, BC, WQ, PROTO, WO, BO, PARAMETERS };

typedef struct net net;

typedef struct {
    int prototypes;             /* 0: the head sees h alone */
    double contrast, deviation; /* factors of both losses on the prototypes */
} variant;

/* Lives until the end of the program. */
net *net_create(const ng_random *random);
ng_mat net_parameter(net *n, int i);
ng_mat net_gradient(net *n, int i);
const char *net_name(int i);

/* Forecasts (ROWS x AHEAD, row b NODES + i) for windows that begin at the hours of `first`; the
 * averages are those of `train`. */
ng_mat net_forecast(net *n, const variant *v, const waves *data, const waves *train,
                    const size_t *first);

/* After it: the loss, mean absolute error and what the variant adds, and its gradients. */
double net_loss(net *n, const variant *v, const waves *data, const size_t *first);

#endif
