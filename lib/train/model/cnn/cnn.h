/* What the files of the convolutional net share. */
#ifndef NGI_TRAIN_CNN_H
#define NGI_TRAIN_CNN_H

#include <natgrad/train/cnn.h>

#include "lib/train/model/model.h"

enum { NGI_KERNEL = 3, NGI_TAPS = NGI_KERNEL * NGI_KERNEL };

/* Pictures of one kind: how many numbers apart neighbours lie. */
typedef struct {
    size_t count, height, width, channels;
    size_t channel, row, column;
} ngi_pictures;

/* Loops over pictures, for one dtype. */
typedef struct {
    /* row of each place (picture, y, x) <- its 3 x 3 neighbourhood, channel by channel; zeros
     * beyond the border */
    void (*patches)(ngi_pictures p, void *patches, const void *pictures);
    /* its adjoint: pictures <- sums over the patches that hold each number */
    void (*gather)(ngi_pictures p, void *pictures, const void *patches);
    /* out <- `from` where in is the (first) largest of each 2 x 2: the maximum from in itself, its
     * tangent from one of in; channels last, here and below */
    void (*pool)(ngi_pictures p, void *out, const void *from, const void *in);
    /* din <- dout where in was the (first) largest, else 0 */
    void (*pool_backward)(ngi_pictures p, void *din, const void *in, const void *dout);
} ngi_cnn_kernels;

extern const ngi_cnn_kernels ngi_cnn_f32, ngi_cnn_f64;

#endif
