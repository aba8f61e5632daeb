/* Who trains: this process (crew_one.c, natgrad-train) or all ranks of MPI together (crew_mpi.c,
 * natgrad-train-mpi), of which rank 0 speaks and writes files. All call the same functions in the
 * same order. */
#ifndef TRAIN_CREW_H
#define TRAIN_CREW_H

#include <natgrad-train.h>

extern const char crew_program[];

/* 1: a batch has shards, and there is --shards. */
extern const int crew_shards;

/* Before the command line is read: who does not speak falls silent. */
void crew_begin(void);

/* Behind it. 0, or the exit status after reporting. */
int crew_start(int *argc, char ***argv, size_t shards);

/* The highest of all their statuses; what only another rank could say is said. */
int crew_agree(int status);

/* For one trainer; alone: its size 0. watched: every rank keeps all state, to be looked at. */
ng_status crew_exchange(ng_exchange *exchange, size_t shards, int watched, ng_error *error);

void crew_end(void);

#endif
