/* What the files of the ESD share. */
#ifndef NGI_GEOMETRY_ESD_H
#define NGI_GEOMETRY_ESD_H

#include <natgrad/esd.h>

#include "lib/core/memory.h"

/* e->bulk <- what e->m eigenvalues of W and as many of its permuted elements say, both ascending;
 * those of the second are rescaled. */
void ngi_esd_compare(ng_esd *e, const double *values, double *random);

#endif
