/* What the curvature calls share: F's Cholesky factor and slabs of kappa. */
#ifndef NGI_GEOMETRY_CURVATURE_H
#define NGI_GEOMETRY_CURVATURE_H

#include <natgrad/curvature.h>
#include <natgrad/work.h>

typedef struct {
    size_t n;
    ng_work work;
    ng_mat root; /* L of F = L L^T */
    ng_mat slab; /* scratch, n x n */
    ng_cumulants_fill third;
    void *data;
} ngi_slabs;

/* Checks f, makes room for the caller's matrices of these shapes (to be taken
 * from s->work with ng_work_mat), factors F. ngi_slabs_close follows, also
 * after an error. */
ng_status ngi_slabs_open(ngi_slabs *s, ng_mat f, const size_t (*shapes)[2], size_t count,
                         ng_cumulants_fill third, void *data, ng_error *error);
ng_status ngi_slabs_close(ngi_slabs *s, ng_status status); /* returns status */

/* slab <- kappa_abc over a, b; checked to be finite. */
ng_status ngi_slab(ngi_slabs *s, ng_mat slab, size_t c, ng_error *error);

/* slab <- L^-1 slab L^-T. */
ng_status ngi_slab_whiten(ngi_slabs *s, ng_mat slab, ng_error *error);

#endif
