/* A Kronecker factor of a matrix's larger side as low rank plus a multiple of the identity (Povey,
 * Zhang & Khudanpur 2015, arXiv 1410.7455):
 *
 *     Q = U^T diag(s) U + rho (I - U^T U),    U r x n with orthonormal rows, s_i >= rho,
 *
 * n the side's length. New statistics S come as products v S with a block of vectors v (k x n),
 * which begins with U; their sum with the old factor is cut back to rank r (lib/linalg/nystrom.h)
 * and what is lost of its trace goes into rho. Nothing n x n is ever made. */
#ifndef NGI_LOW_RANK_H
#define NGI_LOW_RANK_H

#include "optim/steepest/sides.h"

/* State on both sides, with a spare copy: U, where rows that are not there yet are 0, in the
 * weights' dtype; and rho, s_1 ... s_r (1 x (r + 1), double), of the factor and, where a metric
 * damps it otherwise, of what takes its place. */
extern const ngi_pair ngi_directions, ngi_values, ngi_damped_values;

static inline int ngi_is_low_rank(const ngi_param *param, ng_side side)
{
    return ngi_side_tensor(param, ngi_directions, side) != NULL;
}

/* Is this side's factor to be of low rank? */
int ngi_wants_low_rank(const ngi_param *param, ngi_rule r, ng_side side);

/* Declares U and the spectrum, of the identity. */
ng_status ngi_low_rank_create(ngi_param *param, ngi_rule r, ng_side side, ng_error *error);

/* Rows of v, and v as it is until the next commit. */
size_t ngi_low_rank_block(const ngi_param *param, ng_side side);
ng_status ngi_low_rank_vectors(ng_mat v, const ngi_param *param, ng_side side, ng_error *error);

/* What goes into the factor: keep old + weight S + shift I, given y = v S, which is lost, and
 * trace(S); then scaled to mean eigenvalue 1 for `scaled`. NG_ERANGE if it overflows. Where every
 * eigen-solver fails the old one stays, and the report says so. */
typedef struct {
    ng_mat v, y;
    double trace, weight, keep, shift;
    int scaled;
} ngi_low_rank_news;
ng_status ngi_low_rank_renew(ngi_param *param, ng_side side, ngi_low_rank_news news, ng_work *work,
                             ng_error *error);

/* ngi_kron_accumulate for such a factor. */
ng_status ngi_low_rank_accumulate(ngi_param *param, const ng_steepest_options *o, ng_side side,
                                  ng_mat x, ng_mat y, ng_work *work, ng_error *error);

/* Mean eigenvalue of the newest. */
double ngi_low_rank_mean(const ngi_param *param, ng_side side);

/* z <- Q^power x, or x Q^power on the right, with the (damped) factor of that age; z may be x. */
ng_status ngi_low_rank_apply(ng_mat z, const ngi_param *param, ng_side side, ngi_age age,
                             double power, ng_mat x, ng_work *work, ng_error *error);

/* q (n x n) <- Q, the newest (damped) one: where it is the smaller side of a matrix that shares its
 * inputs with others. */
ng_status ngi_low_rank_dense(ng_mat q, const ngi_param *param, ng_side side, ng_work *work,
                             ng_error *error);

/* Scratch bytes of accumulate or, with its v and y, renew; of apply and dense. */
size_t ngi_low_rank_renew_work(const ngi_param *param);
size_t ngi_low_rank_apply_work(const ngi_param *param);

#endif
