/* The dense representation's state; the blocks are such. */
#ifndef NGI_FISHER_DENSE_H
#define NGI_FISHER_DENSE_H

#include "lib/fisher/fisher.h"

typedef struct {
    ng_fisher base;
    ng_mat f; /* n x n, lower triangle */
} ngi_fisher_full;

#endif
