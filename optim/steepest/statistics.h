/* What metrics with captured statistics share: sums of the output gradients'
 * and the inputs' outer products since the last step (pending, in the weights'
 * dtype; param->captured is their number of samples), and their averages, the
 * factors. Of a factor of low rank the sum S is kept as v S (sketch; low_rank.h) and its trace. */
#ifndef NGI_STATISTICS_H
#define NGI_STATISTICS_H

#include "optim/steepest/eigenbases.h"

/* Adds factors, roots (identities) and sums. */
ng_status ngi_statistics_create(ngi_param *param, const ng_steepest_options *o, ng_error *error);

/* The capture slots of ngi_metric: both sums. NG_ERANGE from the check. */
ng_status ngi_statistics_check(const ngi_param *param, const ng_steepest_options *o, ng_mat a,
                               ng_mat g, double scale, ng_error *error);
size_t ngi_statistics_capture_work(const ngi_param *param, const ng_steepest_options *o,
                                   size_t rows);
void ngi_statistics_capture(ngi_param *param, const ng_steepest_options *o, ng_mat a, ng_mat g,
                            double scale, ng_work *work);

/* The ready slot: NG_ENODATA where sums are due and there are none. */
ng_status ngi_statistics_ready(const ngi_param *param, const ng_steepest_options *o,
                               ng_error *error);

/* New factors and average_weight from the sums. With in_commit of the rule only the latter, and
 * NG_ERANGE where the factors would leave their dtype: they are made by commit. */
ng_status ngi_statistics_average(ngi_param *param, const ng_steepest_options *o, ng_error *error);
void ngi_statistics_commit(ngi_param *param, const ng_steepest_options *o);

/* With in_commit: the newest factor of a side that has one, as large and of its dtype; and its
 * trace. */
ng_status ngi_statistics_factor(ng_mat factor, const ngi_param *param, ng_side side,
                                ng_error *error);
double ngi_statistics_trace(const ngi_param *param, ng_side side);

/* Factors of low rank take in what was averaged since they last did; scratch:
 * ngi_low_rank_renew_work. */
ng_status ngi_statistics_renew(ngi_param *param, ng_work *work, ng_error *error);

/* New bases of the newest factors, and the diagonal <- the products of their eigenvalues
 * (eigenbases.h). NG_ESINGULAR without damping. Where every eigen-solver fails the last good ones
 * stay and the diagonal is not fresh. */
ng_status ngi_statistics_bases(ngi_param *param, const ng_steepest_options *o, ng_work *work,
                               ng_error *error);

/* NG_ESINGULAR, in words. */
ng_status ngi_statistics_singular(ng_error *error);

#endif
