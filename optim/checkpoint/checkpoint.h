/* What the parts of a checkpoint know of each other, from below:
 *   entries.c   the tensors of a file, from the optimizer
 *   model.c     whose state it is: the texts of a file, from the optimizer
 *   save.c      both into a file
 *   load.c      and back
 *   partial.c   what of a file another model can have
 *   describe.c  a file, for people
 * The file is natgrad/tensors.h's. */
#ifndef NGI_CHECKPOINT_H
#define NGI_CHECKPOINT_H

#include <natgrad/tensors.h>

#include "optim/front/state.h"

/* NULL stands for the defaults, which then are in `defaults`; begins the optimizer's call. */
ng_status ngi_checkpoint_begin(const ng_checkpoint_options **options,
                               ng_checkpoint_options *defaults, ng_optimizer *optimizer,
                               const char *path);

/* ---- Tensors -------------------------------------------------------------------------------- */

typedef struct {
    char *name;
    ng_mat view; /* borrowed */
    ngi_legal legal;
    int owner;              /* 1 + the rank that has it; 0: every one */
    int vector;             /* its shape is [n] instead of [rows, cols] */
    int optional, taken;    /* may be missing; is loaded */
    const ng_tensor *found; /* in the file that is loaded */
    ng_mat staged;          /* what was read of it */
} ngi_entry;

/* What is in a file of this optimizer apart from random numbers and check sum; those of F64 come
 * first there. */
typedef struct {
    ngi_entry *items;
    size_t count, capacity;
    double *counts;    /* owned: of the optimizer */
    double average[2]; /* count and decay */
} ngi_entries;

/* Weights only if options ask; NG_ENODATA where sums are missing. */
ng_status ngi_entries_save(ngi_entries *list, ng_optimizer *optimizer,
                           const ng_checkpoint_options *options);
/* Weights and averages optional, sums if `summed`. */
/* here (or NULL): of those parameters only that the file has. */
typedef struct ngi_here ngi_here;
ng_status ngi_entries_load(ngi_entries *list, ng_optimizer *optimizer,
                           const ng_checkpoint_options *options, int summed, const ngi_here *here);
void ngi_entries_free(ngi_entries *list);

/* ---- Texts ---------------------------------------------------------------------------------- */

/* One fact about the optimizer, under its key in the file. */
typedef struct {
    char key[96]; /* what is after its last point says what it is */
    char *text;
    ng_status differs; /* a load into another optimizer is this; NG_OK: it may differ */
    char subject[96];  /* whose fact it is, for people */
} ngi_fact;

typedef struct {
    ngi_fact *items;
    size_t count, capacity;
} ngi_facts;

/* Everything that is text in a file, as of now, but with these options of every group (NULL: their
 * own). */
ng_status ngi_facts_list(ngi_facts *facts, ng_optimizer *optimizer, void *const *options);
void ngi_facts_free(ngi_facts *facts);

/* A checkpoint, and of this format? */
ng_status ngi_model_format(const ng_tensors *file, ng_error *error);

/* Its tensors mean what they mean here? */
ng_status ngi_conventions_compare(const ngi_facts *facts, const ng_tensors *file, ng_error *error);

/* crc32, its last tensor, is the sum of all that is before it? */
ng_status ngi_check_sum(const ng_tensors *file, ng_error *error);

/* The file holds these facts? NG_OK or the first difference. */
ng_status ngi_facts_compare(const ngi_facts *facts, const ng_tensors *file, ng_error *error);

/* A copy of the group's options with those of the file; free() it. NULL if the file's group has
 * another method, which the comparison then says. */
ng_status ngi_model_options(void **options, const ng_tensors *file, size_t group,
                            ng_optimizer *optimizer);
/* Clipping of the file. */
ng_status ngi_model_clipping(double *value, double *norm, const ng_tensors *file, ng_error *error);

/* ---- In part -------------------------------------------------------------------------------- */

/* A parameter of a file. */
typedef struct {
    const char *name;           /* of the file */
    size_t group, index, count; /* place of its counts */
    int known;                  /* here is one of that name */
} ngi_there;

/* A parameter of the optimizer. */
struct ngi_here {
    const ngi_param *param;
    const ngi_there *there; /* what it takes, or NULL ... */
    const char *why;        /* ... and what differs */
};

typedef struct {
    ngi_there *there;
    ngi_here *here;
    size_t there_count, capacity, here_count;
    size_t counts; /* of the file */
} ngi_partial;

/* NG_ENODATA: none. */
ng_status ngi_partial_match(ngi_partial *partial, ng_optimizer *optimizer, const ngi_facts *facts,
                            const ng_tensors *file);
/* Those of the optimizer <- what it takes of the file's. */
ng_status ngi_partial_counts(double *mine, const ngi_partial *partial, ng_optimizer *optimizer,
                             const double *theirs, size_t size);
void ngi_partial_report(const ngi_partial *partial, ng_message report, void *data);
void ngi_partial_free(ngi_partial *partial);

#endif
