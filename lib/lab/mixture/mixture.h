/* What the files of the mixtures share: the mixture, and sums over normal laws at many points. */
#ifndef NGI_LAB_MIXTURE_H
#define NGI_LAB_MIXTURE_H

#include <natgrad/lab/mixture.h>
#include <natgrad/work.h>

#include "lib/lab/view.h"

struct ng_mixture {
    size_t k, d;
    double *weight; /* k, sum 1 */
    int *label;     /* k */
    ng_mat means;   /* k x d */
    ng_mat values;  /* k x d: eigenvalues of the covariances, >= 0 */
    ng_mat vectors; /* k d x d: their eigenvectors, as rows */
    ng_mat covariances;
};

/* ---- Sums over normal laws ------------------------------------------------------
 * Law c has mean m_c and whitener W_c, W_c^T W_c = precision. At a point y_c = W_c (x - m_c).
 * All whiteners stand side by side, so that the y of a block of points are one product. */
typedef struct {
    size_t k, d;
    ng_mat whiten;      /* d x k d: block c is W_c^T */
    double *offset;     /* k d: W_c m_c */
    double *log_weight; /* k: log w_c + log det W_c - d/2 log 2 pi */
    size_t *index;      /* k: whose responsibility it is; NULL: its own */
} ngi_laws;

/* f = sum_c r_c f_c with f_c = base_c + y_c back_c */
typedef struct {
    ng_mat out;    /* n x d; without data: not wanted */
    ng_mat back;   /* k d x d */
    ng_mat base;   /* k x d; without data: zero */
    ng_mat spread; /* n x d^2: sum_c r_c (D_c + (f_c - f)(f_c - f)^T), or not wanted */
    ng_mat within; /* k x d^2: the D_c */
} ngi_field;

/* Room for laws and for fields out of one workspace, and how many bytes that takes, with three d x
 * d matrices beside. */
ng_status ngi_laws_take(ngi_laws *laws, size_t k, size_t d, ng_work *work, ng_error *error);
ng_status ngi_field_take(ngi_field *field, size_t k, size_t d, ng_work *work, ng_error *error);
size_t ngi_laws_bytes(size_t k, size_t d, size_t fields);

/* Everything at the rows of x, block by block. log_density, responsibility: or no data. */
ng_status ngi_laws_evaluate(const ngi_laws *laws, ng_mat log_density, ng_mat responsibility,
                            const ngi_field *fields, size_t count, ng_mat x, ng_error *error);

/* ---- Checks ----------------------------------------------------------------------- */

int ngi_wanted(ng_mat m);

/* Points of a mixture: finite, n x d. */
ng_status ngi_mixture_points(const ng_mixture *mixture, ng_mat x, ng_error *error);

/* Components of that label, of which there must be one (NG_EARG), and their weight. */
ng_status ngi_mixture_class(const ng_mixture *mixture, size_t *count, double *weight, int label,
                            ng_error *error);

static inline int ngi_has_label(const ng_mixture *m, size_t c, int label)
{
    return label == NG_MIXTURE_ALL || m->label[c] == label;
}

#endif
