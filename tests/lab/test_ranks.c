/* Computations divided among ranks: threads of this process stand for them, and have the bits of
 * one. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/lab/wolff_world.h"

enum { MOST = 5 };

/* An exchange of threads: each publishes, all meet, all read, all meet. */
typedef struct {
    pthread_barrier_t meeting;
    size_t ranks;
    const ng_exchange_item *items[MOST];
    ng_exchange_vote *votes[MOST];
} team;

typedef struct {
    team *team;
    size_t rank;
} member;

static void share(void *data, const ng_exchange_item *items, size_t count)
{
    const member *m = data;
    m->team->items[m->rank] = items;
    pthread_barrier_wait(&m->team->meeting);
    for (size_t i = 0; i < count; i++) {
        ng_mat from = m->team->items[items[i].owner][i].view, to = items[i].view;
        ck_assert_uint_eq(from.cols, to.cols);
        if ((size_t)items[i].owner != m->rank)
            memcpy(to.data, from.data, to.cols * sizeof(double));
    }
    pthread_barrier_wait(&m->team->meeting);
}

static ng_status agree(void *data, ng_exchange_vote *vote)
{
    const member *m = data;
    const ng_exchange_vote *first = NULL;
    ng_exchange_vote result = *vote;
    m->team->votes[m->rank] = vote;
    pthread_barrier_wait(&m->team->meeting);
    for (size_t r = 0; r < m->team->ranks; r++)
        if (first == NULL && m->team->votes[r]->error.status != NG_OK)
            first = m->team->votes[r];
    for (size_t r = 0; first == NULL && r < m->team->ranks; r++)
        if (m->team->votes[r]->mark != m->team->votes[0]->mark)
            ng_error_set(&result.error, NG_EARG, "the ranks differ");
    if (first != NULL)
        result.error = first->error;
    pthread_barrier_wait(&m->team->meeting);
    *vote = result;
    return vote->error.status;
}

/* ---- One call on every rank -------------------------------------------------------------- */

typedef struct {
    member member;
    ng_exchange exchange;
    size_t length, memory;
    double coupling;
    ng_wolff_options wolff;
    ng_status status;
    ng_error error;
    ng_lattice_curvature r;
    ng_wolff_result mc;
} call;

static void *fermion(void *argument)
{
    call *c = argument;
    c->status =
        ng_ising_fermion_shared(&c->r, c->length, c->coupling, c->memory, &c->exchange, &c->error);
    return NULL;
}

static void *wolff(void *argument)
{
    call *c = argument;
    c->wolff.exchange = &c->exchange;
    c->status = ng_wolff_run(&c->mc, &c->wolff, &c->error);
    return NULL;
}

/* calls[r] on rank r of so many, all at once */
static void together(call *calls, size_t ranks, void *(*play)(void *))
{
    pthread_t thread[MOST];
    team t = {.ranks = ranks};
    pthread_barrier_init(&t.meeting, NULL, (unsigned)ranks);
    for (size_t r = 0; r < ranks; r++) {
        call *c = &calls[r];
        c->member = (member){&t, r};
        c->exchange = (ng_exchange){.size = sizeof c->exchange,
                                    .rank = (int)r,
                                    .ranks = (int)ranks,
                                    .agree = agree,
                                    .share = share,
                                    .data = &c->member};
        ck_assert_int_eq(pthread_create(&thread[r], NULL, play, c), 0);
    }
    for (size_t r = 0; r < ranks; r++)
        pthread_join(thread[r], NULL);
    pthread_barrier_destroy(&t.meeting);
}

/* ---- Free fermions ------------------------------------------------------------------------ */

START_TEST(fermions_have_the_same_bits)
{
    static const size_t lengths[] = {3, 4, 7, 10};
    for (size_t i = 0; i < 4; i++) {
        ng_lattice_curvature alone;
        size_t length = lengths[i], least = ng_ising_fermion_memory(length, 1, NG_ISING_PASSES);
        ng_assert_ok(ng_ising_fermion(&alone, length, NG_ISING_CRITICAL, 0, &err), &err);
        for (size_t ranks = 1; ranks <= MOST; ranks++)
            for (size_t passes = 1; passes <= 3; passes += 2) {
                call calls[MOST] = {{.length = 0}};
                for (size_t r = 0; r < ranks; r++) {
                    calls[r].length = length;
                    calls[r].coupling = NG_ISING_CRITICAL;
                    calls[r].memory = ng_ising_fermion_memory(length, ranks, passes);
                }
                together(calls, ranks, fermion);
                for (size_t r = 0; r < ranks; r++) {
                    ck_assert_msg(calls[r].status == NG_OK, "%s", calls[r].error.text);
                    ck_assert_mem_eq(&calls[r].r, &alone, sizeof alone);
                }
            }
        /* in as many passes as there are */
        ng_lattice_curvature passes;
        ng_assert_ok(ng_ising_fermion(&passes, length, NG_ISING_CRITICAL, least, &err), &err);
        ck_assert_mem_eq(&passes, &alone, sizeof alone);
        ng_assert_fails(ng_ising_fermion(&passes, length, NG_ISING_CRITICAL, least - 1, &err),
                        NG_ENOMEM, &err, "allowed");
    }
}
END_TEST

/* The spectrum, 32 L^4 bytes, is divided. */
START_TEST(memory_falls)
{
    double one = (double)ng_ising_fermion_memory(128, 1, 1);
    double four = (double)ng_ising_fermion_memory(128, 4, 1);
    ck_assert(one < 9.3e9 && ng_ising_fermion_memory(128, 1, 2) < 9e9 / 1.9);
    ck_assert(four < 3e9 && four < one / 3.5);
    ck_assert(ng_ising_fermion_memory(256, 64, 1) < 9e9);
}
END_TEST

START_TEST(one_failure_is_everybodys)
{
    call calls[3] = {{.length = 0}};
    for (size_t r = 0; r < 3; r++) {
        calls[r].length = 4;
        calls[r].coupling = r == 1 ? -0.3 : 0.3;
        calls[r].r.curvature = 7;
    }
    together(calls, 3, fermion);
    for (size_t r = 0; r < 3; r++) {
        ck_assert_int_eq(calls[r].status, NG_EARG);
        ck_assert_str_eq(calls[r].error.text, calls[1].error.text);
        ck_assert(strstr(calls[r].error.text, "J = ") != NULL && calls[r].r.curvature == 7);
        calls[r].coupling = 0.3 + 0.1 * (double)r; /* differ */
    }
    together(calls, 3, fermion);
    for (size_t r = 0; r < 3; r++)
        ck_assert(calls[r].status == NG_EARG && calls[r].r.curvature == 7);
    ng_exchange old = {.size = 8};
    ng_assert_fails(ng_ising_fermion_shared(&calls[0].r, 4, 0.3, 0, &old, &err), NG_EOPTION, &err,
                    "exchange");
}
END_TEST

/* ---- Monte Carlo --------------------------------------------------------------------------- */

static void fill_calls(call *calls, size_t ranks, const ng_wolff_options *o)
{
    memset(calls, 0, MOST * sizeof *calls);
    for (size_t r = 0; r < ranks; r++)
        calls[r].wolff = *o;
}

START_TEST(chains_have_the_same_bits)
{
    call calls[MOST];
    ng_wolff_options o = options_of(NG_LATTICE_ISING2D, 5, 20 * 625);
    ng_wolff_result alone = run(&o);
    for (size_t ranks = 1; ranks <= MOST; ranks++) {
        fill_calls(calls, ranks, &o);
        for (size_t r = 0; r < ranks; r++)
            calls[r].wolff.threads = 1 + r % 2;
        together(calls, ranks, wolff);
        for (size_t r = 0; r < ranks; r++) {
            ck_assert_msg(calls[r].status == NG_OK, "%s", calls[r].error.text);
            assert_same(&calls[r].mc, &alone);
        }
    }
    fill_calls(calls, 2, &o);
    calls[1].wolff.seed = 2;
    together(calls, 2, wolff);
    ck_assert(calls[0].status == NG_EARG && calls[1].status == NG_EARG);
}
END_TEST

static int stop_half(void *data, size_t done, size_t total)
{
    return data != NULL && 2 * done >= total;
}

/* Stopped on three ranks by the last, resumed on two, and by one alone. */
START_TEST(checkpoints_are_anybodys)
{
    call calls[MOST];
    char path[64];
    ng_wolff_options o = options_of(NG_LATTICE_ISING2D, 4, 20 * 4096);
    ng_wolff_result alone = run(&o);
    snprintf(path, sizeof path, "wolff-ranks-%ld", (long)getpid());
    o.checkpoint = path;
    o.progress = stop_half;
    fill_calls(calls, 3, &o);
    calls[2].wolff.data = path;
    together(calls, 3, wolff);
    for (size_t r = 0; r < 3; r++)
        ck_assert_msg(calls[r].status == NG_STOPPED, "%s", calls[r].error.text);
    fill_calls(calls, 2, &o);
    together(calls, 2, wolff);
    for (size_t r = 0; r < 2; r++) {
        ck_assert_msg(calls[r].status == NG_OK, "%s", calls[r].error.text);
        ck_assert(calls[r].mc.resumed);
        assert_same(&calls[r].mc, &alone);
    }
    ng_wolff_result again = run(&o);
    ck_assert(again.resumed);
    assert_same(&again, &alone);
    remove(path);
}
END_TEST

TEST_SUITE(ranks)
{
    TCase *tcase = tcase_create("ranks");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, fermions_have_the_same_bits);
    tcase_add_test(tcase, memory_falls);
    tcase_add_test(tcase, one_failure_is_everybodys);
    tcase_add_test(tcase, chains_have_the_same_bits);
    tcase_add_test(tcase, checkpoints_are_anybodys);
    suite_add_tcase(suite, tcase);
}
