/* Least squares with a smooth net: classes of points, each with its residuals, and the steps of
 * any method on them. For programs of examples/support/paper.h: errors end the program. */
#ifndef EXAMPLES_COLLOCATION_H
#define EXAMPLES_COLLOCATION_H

#include <natgrad-train.h>

enum { MAX_CLASSES = 3, MAX_LAYERS = 6 };

/* The residuals of one point: r[i], and what each is made of: seeds[i * jets + q] = d r[i] / d
 * jet[q], zeros before. */
typedef void collocation_residual(double *r, double *seeds, const double *jet, const double *x,
                                  size_t point, void *data);

typedef struct {
    ng_smooth *net;
    collocation_residual *residual;
    void *data;
    size_t per;                  /* residuals of a point */
    double weight;               /* of each residual in 1/2 sum weight r^2 */
    ng_mat x;                    /* points, batch x d */
    ng_mat jets, r, seeds, part; /* batch x jets, batch x per, batch x (per jets), batch x jets */
} collocation_class;

typedef struct {
    collocation_class classes[MAX_CLASSES];
    size_t count, n, layers;
    ng_mat w, g, sum; /* 1 x n: weights, the gradient, scratch */
    double *bar;      /* of r along second(), m numbers */
    ng_residuals *res;
    ng_optimizer *opt;
    ng_group *group;
    double lr;     /* of a first-order method */
    size_t frozen; /* so many of the first weights stay, in the residual form */
    int lm, captures;
} collocation;

/* No classes, weights of a net with these options. */
void collocation_open(collocation *c, const ng_smooth_options *net);

/* Points x (kept) with `per` residuals each and a net of that order. */
void collocation_add(collocation *c, const ng_smooth_options *net, ng_smooth_order order, ng_mat x,
                     size_t per, double weight, collocation_residual *residual, void *data);
void collocation_close(collocation *c);

/* 1/2 sum weight r^2 at w; INFINITY where that is no number. */
double collocation_loss(collocation *c, ng_mat w);

/* The same, and c->g <- its gradient. */
double collocation_gradient(collocation *c, ng_mat w);

/* c->res <- rows and values at c->w. */
void collocation_rows(collocation *c);

/* Steps from c->w by the residual form; `accelerated` with second derivatives by differences. */
void collocation_natural(collocation *c, const ng_residual_options *options, int accelerated);

/* The same by a preset ("adamw", "muon", "kfac"), every layer a parameter, with that lr. */
void collocation_preset(collocation *c, const char *preset, double lr);

/* One step; share: of the time there is, for a schedule of the lr that falls as a cosine to zero.
 * Returns 0 if nothing changed: no step lowers the loss, or the numbers were left. */
int collocation_step(collocation *c, double share);

#endif
