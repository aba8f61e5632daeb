/* What the files of the lattice models share. */
#ifndef NGI_LAB_ISING_H
#define NGI_LAB_ISING_H

#include <stddef.h>
#include <natgrad/status.h>

/* base^exponent, SIZE_MAX once it does not fit */
size_t ngi_power(size_t base, size_t exponent);

/* dim 2 or 3, length at least 3; else NG_EARG */
ng_status ngi_check_lattice(size_t dim, size_t length, ng_error *error);

#endif
