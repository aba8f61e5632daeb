/* What the three programs in one share: observers as Ising models on small
 * hypergraphs, one parameter for each hyperedge. */
#ifndef EXAMPLES_OBSERVERS_H
#define EXAMPLES_OBSERVERS_H

#include <stdio.h>
#include <natgrad-lab.h>
#include <natgrad.h>

#include "examples/support/plot.h"
#include "examples/support/table.h"

enum { MAX_EDGES = 64, MAX_SPINS = 16 };

/* The command line. */
typedef struct {
    const char *out, *name; /* folder; name of the files in it, the subcommand's */
    double beta;            /* of alpha_dir; < 0: sqrt(lambda_min lambda_max) */
    size_t seed;
    const char *rule;  /* of the substrate */
    size_t spins;      /* of the observer, at most */
    size_t samples;    /* of the environment */
    const char *graph; /* whose signature */
    double coupling;
} config;

int survey(const config *c);
int good_regulator(const config *c);
int signature(const config *c);

/* Ends the program with status 1. */
void die(const char *format, const char *what);
void must(ng_status status, const ng_error *error);

void *memory(size_t count, size_t size); /* zero */

/* The files of a subcommand; these end the program where they fail. */
void rows_open(table *t, const config *c, const char *header);
void rows_save(table *t);
void picture_open(picture *p);
void picture_draw(picture *p, const table *t, int width, int height);

/* ---- Observers ------------------------------------------------------------------ */

typedef struct {
    char name[16];
    const char *kind; /* "trees", "cycles", ... */
    size_t spins, count;
    uint32_t edges[MAX_EDGES];
} topology;

/* P5 path, S6 star, C4 cycle, K5 complete graph, T8 random tree, G8 random connected
 * graph (3 edges for every 2 spins), H6 ring of 3-body terms; the number is that of
 * the spins. 0, or -1 for another name. */
int topology_parse(topology *t, const char *name, const ng_random *random);

/* *family <- its Ising model with the coupling J on every hyperedge, F its
 * Fisher matrix (count x count, to be freed). */
ng_mat topology_fisher(ng_family **family, const topology *t, double coupling);

/* The scalar curvature R of the family where it stands; NaN where it is not known. */
double scalar_curvature(ng_family *family, ng_mat f);

#endif
