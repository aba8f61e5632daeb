/* What the families have in common: one table a family, one file a table. The
 * front (family.c) checks arguments; the slots need not. */
#ifndef NGI_LAB_FAMILIES_FAMILY_H
#define NGI_LAB_FAMILIES_FAMILY_H

#include <natgrad/lab/family.h>

/* Beyond this a sum of products theta T may overflow; exp(E - max E) needs no more. */
#define NGI_ENERGY_MAX 1e150

typedef struct {
    const char *name;
    /* Moves to theta (finite): writes log_z and eta and what the other slots
     * read. On an error nothing has changed. The front keeps theta. */
    ng_status (*set)(ng_family *f, const double *theta, ng_error *error);
    /* cumulants of second and third order at the last set */
    double (*second)(const ng_family *f, size_t a, size_t b);
    double (*third)(const ng_family *f, size_t a, size_t b, size_t c);
    /* t <- T(x); 0 if x (finite) is no sample */
    int (*statistics)(const ng_family *f, double *t, const double *x);
    /* Rows of x <- samples. May spoil what set left when resets is set: the
     * front then sets theta again. */
    ng_status (*sample)(ng_family *f, ng_mat x, const ng_random *random, ng_error *error);
    /* How far inside the set of possible moments these lie, relative to its
     * width; <= 0 on the boundary and beyond. May look along direction u
     * alone, and may spoil what set left. */
    double (*depth)(ng_family *f, const double *moments, const double *u);
    /* (optional) 1 if two members of this kind and equal n have the same statistics */
    int (*same)(const ng_family *f, const ng_family *g);
    /* (optional) */
    void (*destroy)(void *state);
    int resets; /* sample and depth spoil what set left */
} ngi_family_kind;

struct ng_family {
    const ngi_family_kind *kind;
    size_t n, width; /* parameters; numbers a sample has */
    double log_z;
    double *theta, *eta; /* n each */
    void *state;         /* of the kind */
};

/* A family without state at theta = 0, not yet set. NG_ENOMEM. */
ng_status ngi_family_create(ng_family **family, const ngi_family_kind *kind, size_t n, size_t width,
                            ng_error *error);

/* n numbers fill u in [0, 1); then one each. */
double ngi_family_uniform(const ng_random *random);

/* Sum of |theta_a| over n: NG_ERANGE beyond NGI_ENERGY_MAX. */
ng_status ngi_family_check_energy(const double *theta, size_t n, ng_error *error);

#endif
