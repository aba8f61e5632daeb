/* K-FAC on one layer against dense double oracles: random statistics, and the
 * optimizer around one layer whatever the layout, dtype and strides. Matrices
 * that come from dense.h's list are freed by dense_release. */
#ifndef NG_TEST_KFAC_H
#define NG_TEST_KFAC_H

#include "tests/support/dense.h"
#include "tests/support/run.h"

/* Inputs and output gradients of `rows` samples, and a gradient for W. */
typedef struct {
    ng_mat a, g, dw;
} kfac_batch;

kfac_batch kfac_random(size_t rows, size_t outputs, size_t inputs, test_rng *rng);

/* The factors of one batch: (scale g)^T (scale g) / rows and a^T a / rows. */
ng_mat kfac_output_factor(kfac_batch batch, double scale);
ng_mat kfac_input_factor(kfac_batch batch);

ng_mat kfac_damped(ng_mat x, double lambda); /* x + lambda I */

/* (f + lambda I)^-1 vec(m), in m's shape, by a dense eigendecomposition. */
ng_mat kfac_dense_solve(ng_mat f, double lambda, ng_mat m);

/* P^-1 m Q^-1. */
ng_mat kfac_solve(ng_mat p, ng_mat q, ng_mat m);

/* Captures the batch, in the run's dtype, from strided copies. The call's status. */
ng_status kfac_capture(test_run *run, kfac_batch batch, double scale);

/* The update's direction for batch.dw from W = 0, lr 1, after a capture. */
ng_mat kfac_direction(test_run *run, kfac_batch batch, double scale);

#endif
