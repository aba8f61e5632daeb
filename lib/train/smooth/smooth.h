/* The smooth net: what its files share. */
#ifndef NGI_TRAIN_SMOOTH_H
#define NGI_TRAIN_SMOOTH_H

#include <natgrad/train/smooth.h>

/* S_q has a term z_i z_j: what phi'' multiplies in the second derivatives. */
typedef struct {
    size_t i, j, q; /* first derivatives, from 1; the second one, its place in the jet */
} ngi_smooth_term;

typedef struct {
    size_t in, out, first; /* first: of [W b] in w */
    ng_mat a, z, g;        /* C batch x (in + 1), C batch x out twice: room for max_batch */
    double *slope[3];      /* phi', phi'', phi''' at z, max_batch x out; not of the last layer */
} ngi_smooth_layer;

struct ng_smooth {
    size_t inputs, outputs, layers, max_batch, count, jet;
    ng_smooth_activation activation;
    ngi_smooth_layer *layer;
    ngi_smooth_term *term;
    size_t terms, second; /* the first place of a second derivative in the jet */
    ng_mat below;         /* C batch x (in + 1): derivatives on their way down */
    size_t batch;         /* of the last forward; 0: none */
    int seeded;           /* g is of the last seeds */
};

/* h (n) <- phi(z), and the three derivatives. */
void ngi_smooth_activate(ng_smooth_activation activation, double *h, double *const slope[3],
                         const double *z, size_t n);

#endif
