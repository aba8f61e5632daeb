/* natgrad/lab/solver.h: the solvers that carry noise to data along a known field,
 * and what order they have.
 *
 * Two kinds of field. A velocity v(x, t): dx/dt = v, nodes are times in either direction.
 * A denoiser D(x, sigma) = E[x1 | x = x1 + sigma z]: dx/dsigma = (x - D) / sigma, nodes are
 * noise levels, positive and falling. (Any schedule x = a x1 + s z is this one in x / a with
 * sigma = s / a.)
 *
 *   name             field     order
 *   euler            velocity  1
 *   heun             velocity  2
 *   stochastic_heun  velocity  1 weakly: dx = v dt + sqrt(2 diffusion |dt|) z, v with the score in
 *                              it (the interpolants' b + diffusion s); Heun's step from
 *                              the point with the noise added
 *   ddim             denoiser  1  Song, Meng and Ermon, arXiv:2010.02502: the exact step for a D
 *                              that stands still
 *   dpm++2m          denoiser  2  Lu et al., arXiv:2211.01095, algorithm 2: D extrapolated in log
 *                              sigma
 *   evodiff          denoiser  0  Li, Chen and Zeng, arXiv:2509.26096, as published code has it,
 *                              a row being one channel: a predictor and a corrector whose
 *                              factors come from inner products of successive D; the last step
 *                              multiplies by 1 - sqrt(sigma sigma'), and does not converge
 *   evodiff_plain    denoiser  1  the same without that factor */
#ifndef NATGRAD_LAB_SOLVER_H
#define NATGRAD_LAB_SOLVER_H

#include <natgrad/mat.h>
#include <natgrad/random.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    const char *name;
    int denoises;   /* its field is a denoiser */
    int stochastic; /* draws normal numbers, one for each element of x a step */
    int order;      /* of the error in the end point on smooth fields; 0: it does not vanish */
} ng_solver_info;

/* The solvers in the order above: row i = 0 ... ng_solver_count - 1, NULL beyond. */
NG_API size_t ng_solver_count(void);
NG_API const ng_solver_info *ng_solver_get(size_t i);

/* NULL if there is none of that name. */
NG_API const ng_solver_info *ng_solver_find(const char *name);

/* f (n x d) <- the field at the rows of x; t is the time or the noise level. A status other
 * than NG_OK ends the run, which returns it. */
typedef ng_status (*ng_solver_field)(void *data, ng_mat f, ng_mat x, double t, ng_error *error);

/* Moves the rows of x (n x d, NG_F64) from nodes[0] to nodes[count - 1], count >= 2. solver: a row
 * of the table. diffusion (>= 0) and random are the stochastic ones', else 0 and NULL will do.
 * NG_EARG for nodes that are not finite, not positive and falling for a denoiser, or not in one direction;
 * NG_EDTYPE; NG_ENONFINITE when x is or becomes not finite; NG_ENOMEM. x moves only on success. */
NG_API ng_status ng_solver_run(ng_mat x, const ng_solver_info *solver, const double *nodes,
                               size_t count, double diffusion, const ng_random *random,
                               ng_solver_field field, void *data, ng_error *error);

/* ---- Fixed points --------------------------------------------------------------
 * x = g(x) by Anderson acceleration with memory m (Anderson 1965; Walker and Ni,
 * SIAM J. Numer. Anal. 49, 2011): with residuals f_k = g(x_k) - x_k and the last m differences
 * dx, df,
 *
 *   gamma = argmin |f_k - sum gamma_i df_i|^2 + ridge |gamma|^2
 *   x_{k+1} = x_k + mixing f_k - sum gamma_i (dx_i + mixing df_i)
 *
 * m = 0 is Picard's iteration. On a linear map without ridge the iterates are GMRES's: g of the
 * k-th GMRES iterate. Each row of x (n x d) is a problem of its own, all of them in one call. */
typedef struct {
    size_t size;       /* sizeof(ng_anderson_options), set by ng_anderson_init */
    size_t memory;     /* default 5, at most 64 and at most d */
    size_t iterations; /* default 50: calls of g */
    double mixing;     /* default 1, (0, 1] */
    double ridge;      /* default 0, >= 0, absolute. A row whose differences are dependent in double
                          precision gets the least ridge that ng_cholesky finds, or a plain step */
    double tolerance;  /* default 0: do all iterations; else stop when every row's |f| is at most
                          this */
} ng_anderson_options;

NG_API ng_status ng_anderson_init_sized(ng_anderson_options *options, size_t size);
static inline ng_status ng_anderson_init(ng_anderson_options *options)
{
    return ng_anderson_init_sized(options, sizeof *options);
}

/* g (n x d) <- the map at the rows of x */
typedef ng_status (*ng_fixed_point_map)(void *data, ng_mat g, ng_mat x, ng_error *error);

/* residual (may be NULL) <- the largest |f| over the rows at the last point where g was asked.
 * options NULL: the defaults. NG_ENOCONV when a tolerance is set and not met: x is the last
 * iterate; on any other error x is as it was. NG_EOPTION, NG_EARG, NG_EDTYPE, NG_ENONFINITE,
 * NG_ENOMEM. */
NG_API ng_status ng_fixed_point(ng_mat x, double *residual, const ng_anderson_options *options,
                                ng_fixed_point_map map, void *data, ng_error *error);

#ifdef __cplusplus
}
#endif
#endif
