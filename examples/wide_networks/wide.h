/* Nets of finite width with parameters from N(0, 1), and what their tangent kernels need. */
#ifndef WIDE_NETWORKS_H
#define WIDE_NETWORKS_H

#include "examples/support/paper.h"

/* ntk (k x k) <- J J^T of a net with `hidden` layers of relu and `width`, 1 to 4, at the rows of x;
 * features (k x k) <- what the last layer sees, 2 A A^T / width. Fresh weights from random. */
void nets_mlp(ng_mat ntk, ng_mat features, ng_mat x, size_t hidden, size_t width,
              const ng_random *random);

/* features (k x k) <- A A^T / width of one layer of that activation */
void nets_features(ng_mat features, ng_mat x, ng_wide_activation activation, size_t width,
                   const ng_random *random);

/* ntk (k x k) <- J J^T of an erf or relu net over the sequences of x (k steps x d) */
void nets_rnn(ng_mat ntk, ng_mat x, const ng_wide_rnn *rnn, size_t width, const ng_random *random);

/* outputs (1 x k) and j (k x P, P = width (d + 1)) of sqrt(2 / width) v relu(U x / sqrt(d)), with
 * u (width x d) and v (1 x width). j may be ng_mat_none(). */
void nets_shallow(ng_mat outputs, ng_mat j, ng_mat u, ng_mat v, ng_mat x);

/* The residual mode by mode under gradient descent and natural gradient (modes.c). */
void modes_stage(paper *p);

#endif
