/* Checkpoints: a head that names the run, the chains, a check sum. Written to a
 * temporary file, synced and renamed, so that the old one stands until the new
 * one is whole. */
#define _POSIX_C_SOURCE 200809L
#include "lib/lab/lattice/montecarlo.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>

enum { RNG_BYTES = 8192, SHOWN = 120 };

typedef struct {
    char magic[16];
    uint64_t model, length, samples, flips, warmup, chains, seed, rng;
    double coupling;
} head;

typedef struct {
    FILE *file;
    unsigned long sum;
    int write, failed;
} stream;

static head head_of(const ng_wolff_options *o, const ngi_walk *w, const ngi_chain *chain)
{
    head h = {.model = (uint64_t)o->lattice.model,
              .length = o->lattice.length,
              .samples = w->samples,
              .flips = w->flips,
              .warmup = w->warmup,
              .chains = o->chains,
              .seed = o->seed,
              .rng = chain->random.save(chain->random.data, NULL, 0),
              .coupling = o->lattice.coupling};
    memcpy(h.magic, "natgrad wolff 1", 16);
    return h;
}

static void pass(stream *s, void *bytes, size_t size)
{
    const size_t chunk = 1 << 20;
    size_t done = s->failed  ? 0
                  : s->write ? fwrite(bytes, 1, size, s->file)
                             : fread(bytes, 1, size, s->file);
    if (done != size)
        s->failed = 1;
    for (size_t at = 0; at < size && !s->failed; at += chunk)
        s->sum =
            crc32(s->sum, (const Bytef *)bytes + at, (uInt)(size - at < chunk ? size - at : chunk));
}

/* One chain in either direction. Its moments and series are one block. */
static void pass_chain(stream *s, ngi_chain *c, const ngi_walk *w, size_t rng)
{
    unsigned char state[RNG_BYTES] = {0};
    uint64_t drawn = c->drawn, done = c->done;
    size_t doubles = ngi_moments_doubles(w->dimension, w->sites, w->orbits.count) + 2 * w->samples;
    if (rng > sizeof state) {
        s->failed = 1;
        return;
    }
    if (s->write)
        c->random.save(c->random.data, state, rng);
    pass(s, state, rng);
    pass(s, c->draws, sizeof c->draws);
    pass(s, &drawn, sizeof drawn);
    pass(s, &done, sizeof done);
    pass(s, c->spin, w->sites);
    pass(s, c->memory, doubles * sizeof(double));
    if (s->write || s->failed)
        return;
    if (c->random.load(c->random.data, state, rng) != 0 || drawn > NGI_DRAWS || done > w->samples ||
        done % NGI_BATCH != 0)
        s->failed = 1;
    c->drawn = drawn;
    c->done = done;
}

static ng_status fail(const char *path, ng_status status, const char *what, ng_error *error)
{
    size_t length = strlen(path);
    return ng_error_set(error, status, "checkpoint: %s: %s",
                        length > SHOWN ? path + length - SHOWN : path, what);
}

/* s->file is open; it is closed here. */
static int write_all(stream *s, const ng_wolff_options *o, const ngi_walk *w, ngi_chain *chains)
{
    head h = head_of(o, w, chains);
    pass(s, &h, sizeof h);
    for (size_t b = 0; b < o->chains; b++)
        pass_chain(s, &chains[b], w, h.rng);
    uint64_t sum = s->sum;
    pass(s, &sum, sizeof sum);
    int good = !s->failed && fflush(s->file) == 0 && fsync(fileno(s->file)) == 0;
    return fclose(s->file) == 0 && good;
}

ng_status ngi_checkpoint_save(const ng_wolff_options *o, const ngi_walk *w, ngi_chain *chains,
                              ng_error *error)
{
    static const char suffix[] = ".part";
    size_t length = strlen(o->checkpoint);
    char *part = malloc(length + sizeof suffix);
    if (part == NULL)
        return fail(o->checkpoint, NG_ENOMEM, "no memory to write it", error);
    memcpy(part, o->checkpoint, length);
    memcpy(part + length, suffix, sizeof suffix);
    stream s = {.file = fopen(part, "wb"), .write = 1};
    int good = s.file != NULL && write_all(&s, o, w, chains) && rename(part, o->checkpoint) == 0;
    int saved_errno = errno;
    if (!good && s.file != NULL)
        remove(part);
    free(part);
    return good ? NG_OK : fail(o->checkpoint, NG_EIO, strerror(saved_errno), error);
}

ng_status ngi_checkpoint_load(int *found, const ng_wolff_options *o, const ngi_walk *w,
                              ngi_chain *chains, ng_error *error)
{
    head h, expected = head_of(o, w, chains);
    stream s = {.file = fopen(o->checkpoint, "rb")};
    *found = s.file != NULL;
    if (!*found)
        return errno == ENOENT ? NG_OK : fail(o->checkpoint, NG_EIO, strerror(errno), error);
    pass(&s, &h, sizeof h);
    int same = !s.failed && memcmp(&h, &expected, sizeof h) == 0;
    for (size_t b = 0; same && b < o->chains; b++)
        pass_chain(&s, &chains[b], w, h.rng);
    uint64_t sum = 0, actual = s.sum;
    pass(&s, &sum, sizeof sum);
    int whole = !s.failed && sum == actual && fgetc(s.file) == EOF;
    fclose(s.file);
    if (!same)
        return fail(o->checkpoint, NG_EFORMAT, "not a checkpoint of a run with these options",
                    error);
    return whole ? NG_OK : fail(o->checkpoint, NG_EFORMAT, "truncated or damaged", error);
}
