/* Checkpoints of Wolff's chains: a run that is stopped or killed goes on to the same bits; files
 * that are damaged or crafted, and what stands in their place, are refused. */
#define _POSIX_C_SOURCE 200809L
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zlib.h>

#include "tests/lab/wolff_world.h"

typedef struct {
    size_t stop, calls, last;
} watcher;

static int watch(void *data, size_t done, size_t total)
{
    watcher *w = data;
    ck_assert_uint_eq(total, 20480);
    ck_assert(w->calls == 0 || done > w->last);
    w->calls++;
    w->last = done;
    return done >= w->stop;
}

static char path[64];

static void scratch_path(void)
{
    snprintf(path, sizeof path, "wolff-%ld.checkpoint", (long)getpid());
    remove(path);
}

/* A run stopped after the first rounds leaves a checkpoint at `path`. */
static ng_wolff_options stopped(watcher *w)
{
    ng_wolff_options o = options_of(NG_LATTICE_ISING2D, 4, 20480);
    ng_wolff_result r = {.plain = 7};
    *w = (watcher){.stop = 6000};
    scratch_path();
    o.checkpoint = path;
    o.progress = watch;
    o.data = w;
    ng_assert_fails(ng_wolff_run(&r, &o, &err), NG_STOPPED, &err, "of 20480 samples");
    ck_assert(w->last >= 6000 && w->last < 20480);
    ck_assert_double_eq(r.plain, 7);
    return o;
}

START_TEST(resume_changes_nothing)
{
    watcher w;
    ng_wolff_options o = stopped(&w), plain = options_of(NG_LATTICE_ISING2D, 4, 20480);
    size_t before = w.last;
    w = (watcher){.stop = SIZE_MAX};
    ng_wolff_result whole = run(&plain), resumed = run(&o);
    ck_assert_int_eq(whole.resumed, 0);
    ck_assert_int_eq(resumed.resumed, 1);
    assert_same(&whole, &resumed);
    ck_assert_uint_eq(w.last, 20480);
    ck_assert_uint_lt(w.calls, 20480 / before + 2); /* it did not begin again */
    w = (watcher){.stop = SIZE_MAX};
    resumed = run(&o); /* done: one call, the result again */
    ck_assert_uint_eq(w.calls, 1);
    assert_same(&whole, &resumed);
    remove(path);
}
END_TEST

static int die(void *data, size_t done, size_t total)
{
    (void)total;
    if (done >= *(size_t *)data)
        raise(SIGKILL);
    return 0;
}

/* Killed in the second round, its file from the first. */
START_TEST(killed_run_resumes)
{
    size_t at = 10000;
    ng_wolff_options plain = options_of(NG_LATTICE_ISING2D, 4, 20480), o = plain;
    int how;
    scratch_path();
    o.checkpoint = path;
    o.interval = 0;
    o.progress = die;
    o.data = &at;
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        ng_wolff_result r;
        _exit(ng_wolff_run(&r, &o, &err) == NG_OK);
    }
    ck_assert_int_eq(waitpid(child, &how, 0), child);
    ck_assert(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL);
    watcher w = {.stop = SIZE_MAX};
    o.progress = watch;
    o.data = &w;
    ng_wolff_result whole = run(&plain), resumed = run(&o);
    ck_assert_int_eq(resumed.resumed, 1);
    ck_assert_uint_eq(w.calls, 4); /* at 5120, 10240, 15360, 20480 */
    assert_same(&whole, &resumed);
    remove(path);
}
END_TEST

START_TEST(damaged_checkpoint)
{
    watcher w;
    ng_wolff_result r;
    ng_wolff_options o = stopped(&w), other = o;
    other.flips = 4;
    ng_assert_fails(ng_wolff_run(&r, &other, &err), NG_EFORMAT, &err, "options");
    FILE *file = fopen(path, "r+b");
    ck_assert_ptr_nonnull(file);
    fseek(file, -4000, SEEK_END);
    int byte = fgetc(file);
    fseek(file, -4000, SEEK_END);
    fputc(byte ^ 1, file);
    fclose(file);
    ng_assert_fails(ng_wolff_run(&r, &o, &err), NG_EFORMAT, &err, "damaged");
    ck_assert_int_eq(truncate(path, 5000), 0);
    ng_assert_fails(ng_wolff_run(&r, &o, &err), NG_EFORMAT, &err, "truncated");
    remove(path);
    o.checkpoint = "no-such-directory/wolff";
    w = (watcher){.stop = 6000};
    ng_assert_fails(ng_wolff_run(&r, &o, &err), NG_EIO, &err, "no-such-directory");
}
END_TEST

/* ---- Crafted files --------------------------------------------------------------- */

/* The layout of stopped()'s file: a head, 20 chains, a check sum. A chain: generator, draws, how
 * many are drawn, samples done, spins, moments, series. */
enum {
    SITES = 16,
    SAMPLES = 1024, /* a chain */
    HEAD = 16 + 8 * 8 + 8,
    GENERATOR = 48,
    DRAWS = GENERATOR,
    DRAWN = DRAWS + 256 * 8,
    DONE = DRAWN + 8,
    SPINS = DONE + 8,
    FIRST = SPINS + SITES,
    SECOND = FIRST + 4 * 8,
    THIRD = SECOND + 2 * 4 * SITES * 8
};

typedef struct {
    unsigned char *bytes;
    size_t size, chain; /* bytes of a chain */
} checkpoint;

static checkpoint read_checkpoint(void)
{
    checkpoint c;
    FILE *file = fopen(path, "rb");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fseek(file, 0, SEEK_END), 0);
    c.size = (size_t)ftell(file);
    c.chain = (c.size - HEAD - 8) / 20;
    ck_assert_uint_eq(HEAD + 20 * c.chain + 8, c.size);
    c.bytes = malloc(c.size);
    ck_assert_ptr_nonnull(c.bytes);
    rewind(file);
    ck_assert_uint_eq(fread(c.bytes, 1, c.size, file), c.size);
    fclose(file);
    return c;
}

/* With right check sums, that of the generator in `chain` too. */
static void write_checkpoint(const checkpoint *c, size_t chain)
{
    unsigned char *generator = c->bytes + HEAD + chain * c->chain;
    uint64_t own = crc32(0, generator, GENERATOR - 8), all;
    for (int i = 0; i < 8; i++)
        generator[GENERATOR - 8 + i] = (unsigned char)(own >> 8 * i);
    all = crc32(0, c->bytes, (uInt)(c->size - 8));
    memcpy(c->bytes + c->size - 8, &all, 8);
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(c->bytes, 1, c->size, file), c->size);
    fclose(file);
}

/* The chain with this value at `offset` is refused, and nothing is written. */
static void refuses(const ng_wolff_options *o, const checkpoint *good, size_t chain, size_t offset,
                    const void *value, size_t size, const char *text)
{
    checkpoint bad = *good;
    char where[64];
    ng_wolff_result r = {.plain = 7};
    bad.bytes = malloc(good->size);
    ck_assert_ptr_nonnull(bad.bytes);
    memcpy(bad.bytes, good->bytes, good->size);
    memcpy(bad.bytes + HEAD + chain * good->chain + offset, value, size);
    write_checkpoint(&bad, chain);
    snprintf(where, sizeof where, "damaged: chain %zu: %s", chain, text);
    ng_assert_fails(ng_wolff_run(&r, o, &err), NG_EFORMAT, &err, where);
    ck_assert_double_eq(r.plain, 7);
    checkpoint after = read_checkpoint();
    ck_assert_uint_eq(after.size, bad.size);
    ck_assert_mem_eq(after.bytes, bad.bytes, bad.size);
    free(after.bytes);
    free(bad.bytes);
}

static const struct {
    size_t chain, offset;
    uint64_t value;
    const char *text;
} counts[] = {
    {3, 8, 77, "no state"},                    /* another chain's seed */
    {3, 16, 1, "no state"},                    /* another stream */
    {0, 24, (uint64_t)-100000001, "no state"}, /* a position between two fillings */
    {19, 32, 2, "no state"},                   /* normal numbers */
    {0, 0, 0, "no state"},                     /* the magic */
    {0, DRAWN, 257, "drawn[0] = 257"},         /* one draw too far */
    {1, DRAWN, 100000000, "drawn[0] = 1e+08"}, /* */
    {0, DRAWN, UINT64_MAX, "drawn[0]"},        /* */
    {0, DONE, SAMPLES + 32, "done[0] = 1056"}, /* more than all */
    {0, DONE, UINT64_MAX - 31, "done[0]"},     /* */
    {0, DONE, 33, "done[0] = 33"},             /* no whole batch */
    {1, DONE, 0, "done[0] = 0"},               /* not in step with the first */
};

START_TEST(crafted_checkpoint)
{
    watcher w;
    ng_wolff_options o = stopped(&w);
    checkpoint c = read_checkpoint();
    const size_t energy = c.chain - 2 * SAMPLES * 8, mode = c.chain - SAMPLES * 8;
    const struct {
        size_t offset;
        double value;
        const char *text;
    } numbers[] = {
        {DRAWS + 8, -1e-300, "draws[1] = -1e-300"},
        {DRAWS + 255 * 8, 1, "draws[255] = 1"},
        {DRAWS, NAN, "draws[0]"},
        {FIRST, INFINITY, "first[0] = inf"},
        {FIRST + 24, 1e-3 + w.last / 20.0 * SITES, "first[3]"},
        {SECOND + 8, NAN, "second[1]"},
        {SECOND, 1 + w.last / 20.0 * SITES * SITES, "second[0]"},
        {THIRD - 8, -1e300, "second[127]"},
        {THIRD, NAN, "third[0]"},
        {energy - 8, 1e300, "third["},
        {energy, 2.0 * SITES + 1, "energy[0] = 33"},
        {mode - 8, 1, "energy to come["},
        {mode, -INFINITY, "mode[0] = -inf"},
        {c.chain - 8, NAN, "mode to come["},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        refuses(&o, &c, i % 20, numbers[i].offset, &numbers[i].value, 8, numbers[i].text);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        refuses(&o, &c, counts[i].chain, counts[i].offset, &counts[i].value, 8, counts[i].text);
    refuses(&o, &c, 2, SPINS + 7, "\0", 1, "spin[7] = 0");
    refuses(&o, &c, 2, SPINS, "\x7f", 1, "spin[0] = 127");
    w = (watcher){.stop = SIZE_MAX};
    write_checkpoint(&c, 0); /* as it was: the sums above are the program's */
    ng_wolff_result r = run(&o);
    ck_assert_int_eq(r.resumed, 1);
    free(c.bytes);
    remove(path);
}
END_TEST

/* What somebody put beside the checkpoint, or in its place. */
START_TEST(links_and_fifos)
{
    watcher w;
    ng_wolff_result r;
    char part[80], target[80], text[8] = "";
    scratch_path();
    snprintf(part, sizeof part, "%s.part", path);
    snprintf(target, sizeof target, "%s.target", path);
    FILE *file = fopen(target, "wb");
    ck_assert_ptr_nonnull(file);
    fputs("mine", file);
    fclose(file);
    ck_assert_int_eq(symlink(target, part), 0);
    ng_wolff_options o = stopped(&w);
    file = fopen(target, "rb");
    ck_assert_ptr_nonnull(file);
    ck_assert_ptr_nonnull(fgets(text, sizeof text, file));
    fclose(file);
    ck_assert_str_eq(text, "mine");
    remove(path);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ng_assert_fails(ng_wolff_run(&r, &o, &err), NG_EIO, &err, "not a regular file");
    remove(path);
    remove(part);
    remove(target);
}
END_TEST

TEST_SUITE(montecarlo_files)
{
    TCase *tcase = tcase_create("montecarlo_files");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, resume_changes_nothing);
    tcase_add_test(tcase, killed_run_resumes);
    tcase_add_test(tcase, damaged_checkpoint);
    tcase_add_test(tcase, crafted_checkpoint);
    tcase_add_test(tcase, links_and_fifos);
    suite_add_tcase(suite, tcase);
}
