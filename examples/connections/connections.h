/* What the files of connections share: families known by their scores alone. */
#ifndef CONNECTIONS_H
#define CONNECTIONS_H

#include "examples/support/paper.h"

enum { FAMILIES = 5, MOST = 5, PARTS = 4 };

/* A family with n parameters x, its expectations sums over nodes. */
typedef struct {
    const char *name, *title;
    size_t n, nodes;
    double at[MOST]; /* x where it is looked at */
    int exponential;
    double curvature; /* R / (n (n - 1)) of Levi-Civita's connection; NaN: not known */
    /* l <- d log p / d x at a node, *weight <- its probability */
    void (*score)(double *l, double *weight, size_t node, const double *x);
} family;

extern const family families[FAMILIES];

/* Degrees of freedom of Student's laws. */
extern const double student_freedom;

/* Fields (ng_tensor_fill) whose data is a const family *: E[l_a l_b] and E[l_a l_b l_c]. */
ng_status family_metric(void *data, ng_mat g, ng_mat x, ng_error *error);
ng_status family_cubic(void *data, ng_mat cubic, ng_mat x, ng_error *error);

/* A target named WHOSE_WHAT; whether it holds. */
int check(const char *whose, const char *what, double expected, double found, double tolerance);

/* |t|^2, and the squares of the parts of a torsion or (symmetric) a non-metricity. */
double square_of(ng_mat t, ng_mat g);
void squares(double found[PARTS], ng_mat t, ng_mat g, int symmetric);

/* Stages. */
void dislocation(paper *p);
void point_defect(paper *p);

#endif
