/* What the files of the curvature program share. */
#ifndef EXAMPLES_CURVATURE_H
#define EXAMPLES_CURVATURE_H

#include <stddef.h>
#include <stdio.h>

#include <natgrad-lab.h>

enum { MAX_SIZES = 64, CONTROLS = 2, FIRST_LARGE = 6 };

typedef struct {
    const char *name, *doc;
    ng_lattice_model lattice;
    const char *sizes;         /* --exact unless given */
    double claim;              /* the exponent Zhuravlev (2026) derives */
    double controls[CONTROLS]; /* couplings off it; 0: none */
} model;

extern const model models[]; /* ends with a NULL name */
const model *model_find(const char *name);

/* One R at one size and coupling. */
typedef struct {
    double coupling;
    size_t length;
    double sites, curvature, seconds;
    double error; /* one sigma of a sampled one; what rounding leaves of an exact one */
    int sampled;
    const char *method;
    ng_wolff_result mc; /* of a sampled one */
} point;

typedef struct {
    const model *model;
    const char *engine, *out;
    double coupling;
    int critical;                        /* coupling is J_c: controls make sense */
    size_t sizes[MAX_SIZES], size_count; /* --exact */
    int sizes_given;
    size_t mc[MAX_SIZES], mc_count; /* --mc */
    size_t samples;                 /* 0: the fewest allowed, 20 n^2 */
    size_t flips, threads, memory, seed;
    const char *checkpoint;
    int no_controls;
    const ng_exchange *exchange; /* of curvature-mpi, or NULL */
} config;

/* A way to R. A further one is a row of engines[]; a model's own is the first
 * that suits it. */
typedef struct {
    const char *name, *doc;
    int sampled; /* takes the sizes of --mc rather than those of --exact */
    int (*suits)(const model *m);
    size_t (*memory)(const config *c, size_t length); /* bytes, SIZE_MAX: too many */
    ng_status (*run)(point *p, const config *c, ng_error *error);
} engine;

extern const engine engines[]; /* ends with a NULL name */

/* By name, or for name NULL the first of this model. */
const engine *engine_find(const model *m, const char *name, int sampled);

/* Samples of Monte Carlo: --samples, or by default 20 n^2, the least. */
size_t samples_of(const config *c, size_t length);
size_t samples_least(const config *c, size_t length);

/* Reads the command line, sets all but exchange. 0, or 2 when it is wrong, with a message on
 * stderr. */
int config_parse(config *c, int argc, char **argv);

/* Two laws of growth by least squares of relative residuals, and their rms; c = 0
 * unless corrected. L is n^(1/d). */
typedef struct {
    size_t from;                                 /* the least L */
    double power_a, power_d, power_c, power_rms; /* |R| = A n^d (1 + c/L) */
    double log_a, log_b, log_c, log_rms;         /* |R| = n (a + b ln n + c/L) */
} growth;

/* -1: it needs at least 3 points, corrected 5, with R of one sign. */
int fit_growth(growth *g, const point *points, size_t count, int corrected);

/* Fits and exponents are about L >= FIRST_LARGE: the index of the first such size, or 0 if
 * fewer than three are. */
size_t first_large(const point *points, size_t count);

/* Digits of R that its error leaves, 1 to 15; one more of a sampled R. */
int digits_of(const point *p);

/* log(R2/R1)/log(n2/n1), NaN when the signs differ */
double effective_exponent(const point *a, const point *b);

/* DIR/curvature.csv and DIR/curvature.{svg,png}; 0, or 1 with a message. fits[0]: the plain
 * laws, fits[1]: corrected ones; NULL where there is none. */
int leave_files(const config *c, const growth *const fits[2], const point *points, size_t count);

#endif
