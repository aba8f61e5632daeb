/* The ranks of curvature-mpi; curvature is alone. */
#ifndef EXAMPLES_CURVATURE_RANKS_H
#define EXAMPLES_CURVATURE_RANKS_H

#include <natgrad.h>

extern const char ranks_program[]; /* "curvature" or "curvature-mpi" */

/* *exchange <- all ranks, or NULL; before anything else. Ranks but 0 fall silent. 0, or 1 after
 * reporting. Whatever ends the program ends MPI. */
int ranks_begin(const ng_exchange **exchange, int *argc, char ***argv);

#endif
