/* What the files of the program under mpirun share: who one is, checks, and a small world. */
#ifndef NG_TEST_MPI_WORLD_H
#define NG_TEST_MPI_WORLD_H

#include <natgrad-mpi.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern int rank, ranks, failures;
extern unsigned long long state; /* of number() */

#define CHECK(condition, ...)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "rank %d of %d, line %d: %s: ", rank, ranks, __LINE__, #condition);    \
            fprintf(stderr, __VA_ARGS__);                                                          \
            fputc('\n', stderr);                                                                   \
            failures++;                                                                            \
        }                                                                                          \
    } while (0)

/* ---- A small world: layers of awkward shapes, one with a bias, and a vector ---- */

enum { LAYERS = 5, SAMPLES = 24, STEPS = 50 };
extern const size_t shapes[LAYERS][2];

typedef struct {
    ng_optimizer *opt;
    ng_group *groups[2]; /* under test, and adamw for the vector */
    ng_mat w[LAYERS], dw[LAYERS], b, db, vector, dvector;
} world;

typedef struct {
    const char *preset, *settings;
    ng_dtype dtype;
    double clip_norm;
    int micro, threads, monitored;
} setup;

void same_text(const char *text);
double number(void);
ng_mat make(size_t rows, size_t cols, ng_dtype dtype);
void fill(ng_mat m);
int same(ng_mat a, ng_mat b);
int listen(const ng_event *event, void *data);
void open_world(world *x, const setup *s);
void close_world(world *x);
ng_status attach(world *x);
void load_batch(world *x, const setup *s, int t);
int same_worlds(const world *x, const world *y);
ng_status step(world *x, const setup *s, int t);

/* The same of a batch in shards (captures.c). */
ng_status attach_sharded(world *x, MPI_Comm comm, size_t shards);
void add_shards(world *x, const setup *s, int t, size_t shards);
ng_status reduce_shards(world *x, const setup *s, int t, size_t shards);
ng_status sharded_step(world *x, const setup *s, int t, size_t shards);

/* ---- Tests of the other files ---- */

void test_shards(void);
void test_fisher(void);
void test_fisher_memory(void);
void compare_large(size_t n);
void test_captures(void);
void test_failures(const char *folder);
void test_checkpoints(const char *folder);
void save_for_ever(const char *path);
void load_once(const char *path);

#endif
