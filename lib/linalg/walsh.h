/* The fast Walsh-Hadamard transform. */
#ifndef NGI_WALSH_H
#define NGI_WALSH_H

#include <stddef.h>

/* As ng_walsh_hadamard (natgrad/sketch.h); length a power of two. */
void ngi_walsh_hadamard(double *x, size_t length);

#endif
