/* Checkpoints: a head that names the run, the chains, a check sum. A check sum tells what
 * chance did to a file, not what a hand did: every value that is read has a range. */
#define _POSIX_C_SOURCE 200809L
#include "lib/lab/lattice/montecarlo.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <natgrad/file.h>
#include <zlib.h>

#include "lib/core/try.h"

/* The generator's state (natgrad/train/rng.h): what it was created with, the position among the
 * uniform numbers, the position among the normal ones, a check sum. */
enum { RNG_BYTES = 48, RNG_CREATED = 24, RNG_UNIFORM = 8, RNG_NORMAL = 8, SHOWN = 120 };

typedef struct {
    char magic[16];
    uint64_t model, length, samples, flips, warmup, chains, seed, rng;
    double coupling;
} head;

static head head_of(const ng_wolff_options *o, const ngi_walk *w)
{
    head h = {.model = (uint64_t)o->lattice.model,
              .length = o->lattice.length,
              .samples = w->samples,
              .flips = w->flips,
              .warmup = w->warmup,
              .chains = o->chains,
              .seed = o->seed,
              .rng = RNG_BYTES,
              .coupling = o->lattice.coupling};
    memcpy(h.magic, "natgrad wolff 1", 16);
    return h;
}

static unsigned long add_up(unsigned long sum, const void *bytes, size_t size)
{
    const size_t chunk = 1 << 20;
    for (size_t at = 0; at < size; at += chunk)
        sum = crc32(sum, (const Bytef *)bytes + at, (uInt)(size - at < chunk ? size - at : chunk));
    return sum;
}

static size_t doubles_of(const ngi_walk *w)
{
    return ngi_moments_doubles(w->dimension, w->sites, w->orbits.count) + 2 * w->samples;
}

/* ---- Writing ---------------------------------------------------------------- */

typedef struct {
    ng_file *file;
    unsigned long sum;
    ng_error *error;
} sink;

static ng_status put(sink *s, const void *bytes, size_t size)
{
    s->sum = add_up(s->sum, bytes, size);
    return ng_file_write(s->file, bytes, size, s->error);
}

static ng_status put_chain(sink *s, const ngi_chain *c, const ngi_walk *w)
{
    unsigned char state[RNG_BYTES] = {0};
    const uint64_t drawn = c->drawn, done = c->done;
    if (c->random.save(c->random.data, state, sizeof state) != sizeof state)
        return ng_error_set(s->error, NG_EUNSUPPORTED, "checkpoint: an unknown generator");
    TRY(put(s, state, sizeof state));
    TRY(put(s, c->draws, sizeof c->draws));
    TRY(put(s, &drawn, sizeof drawn));
    TRY(put(s, &done, sizeof done));
    TRY(put(s, c->spin, w->sites));
    return put(s, c->memory, doubles_of(w) * sizeof(double));
}

static ng_status put_all(sink *s, const ng_wolff_options *o, const ngi_walk *w,
                         const ngi_chain *chains)
{
    const head h = head_of(o, w);
    TRY(put(s, &h, sizeof h));
    for (size_t b = 0; b < o->chains; b++)
        TRY(put_chain(s, &chains[b], w));
    const uint64_t sum = s->sum;
    return put(s, &sum, sizeof sum);
}

ng_status ngi_checkpoint_save(const ng_wolff_options *o, const ngi_walk *w, ngi_chain *chains,
                              ng_error *error)
{
    sink s = {.error = error};
    TRY(ng_file_create(&s.file, o->checkpoint, error));
    ng_status status = put_all(&s, o, w, chains);
    if (status == NG_OK)
        return ng_file_commit(s.file, error);
    ng_file_discard(s.file);
    return status;
}

/* ---- Reading ---------------------------------------------------------------- */

typedef struct {
    FILE *file;
    const char *path; /* its end, as much as an error text has room for */
    unsigned long sum;
    size_t chain; /* that is being read */
    ng_error *error;
} source;

static ng_status get(source *s, void *bytes, size_t size)
{
    if (fread(bytes, 1, size, s->file) != size)
        return ng_error_set(s->error, NG_EFORMAT, "checkpoint: %s: truncated or damaged", s->path);
    s->sum = add_up(s->sum, bytes, size);
    return NG_OK;
}

static ng_status damaged(const source *s, const char *what, size_t index, double value)
{
    return ng_error_set(s->error, NG_EFORMAT, "checkpoint: %s: damaged: chain %zu: %s[%zu] = %g",
                        s->path, s->chain, what, index, value);
}

/* Numbers of size at most `bound`, but for rounding; NaN is none. */
static ng_status check_size(const source *s, const char *what, const double *x, size_t count,
                            double bound)
{
    for (size_t i = 0; i < count; i++)
        if (!(fabs(x[i]) <= bound * (1 + 1e-9)))
            return damaged(s, what, i, x[i]);
    return NG_OK;
}

/* Each sample has |T_a(k)| <= n; what is still to be sampled is zero. */
static ng_status check_moments(const source *s, const ngi_chain *c, const ngi_walk *w)
{
    const size_t d = w->dimension, rest = w->samples - c->done;
    const double n = (double)w->sites, done = (double)c->done;
    const double *second = (const double *)c->sum.second, *third = (const double *)c->sum.third;
    TRY(check_size(s, "first", c->sum.first, 4, done * n));
    TRY(check_size(s, "second", second, 2 * d * d * w->sites, done * n * n));
    TRY(check_size(s, "third", third, 2 * d * d * d * w->orbits.count, done * n * n * n));
    TRY(check_size(s, "energy", c->energy, c->done, (double)d * n));
    TRY(check_size(s, "energy to come", c->energy + c->done, rest, 0));
    TRY(check_size(s, "mode", c->mode, c->done, (double)(d * d) * n * n));
    return check_size(s, "mode to come", c->mode + c->done, rest, 0);
}

/* A state of this chain's own generator, which draws NGI_DRAWS uniform numbers at a time and no
 * normal ones. */
static ng_status load_generator(const source *s, ngi_chain *c, const unsigned char *state)
{
    unsigned char own[RNG_BYTES];
    const size_t normal = RNG_CREATED + RNG_UNIFORM;
    c->random.save(c->random.data, own, sizeof own);
    uint64_t position = 0;
    for (size_t i = RNG_UNIFORM; i-- > 0;)
        position = position << 8 | state[RNG_CREATED + i];
    if (memcmp(state, own, RNG_CREATED) != 0 ||
        memcmp(state + normal, own + normal, RNG_NORMAL) != 0 || position % NGI_DRAWS != 0 ||
        c->random.load(c->random.data, state, RNG_BYTES) != 0)
        return ng_error_set(s->error, NG_EFORMAT,
                            "checkpoint: %s: damaged: chain %zu: no state of its generator",
                            s->path, s->chain);
    return NG_OK;
}

static ng_status check_chain(const source *s, const ngi_chain *c, const ngi_walk *w)
{
    for (size_t i = 0; i < NGI_DRAWS; i++)
        if (!(c->draws[i] >= 0 && c->draws[i] < 1))
            return damaged(s, "draws", i, c->draws[i]);
    for (size_t x = 0; x < w->sites; x++)
        if (c->spin[x] != 1 && c->spin[x] != -1)
            return damaged(s, "spin", x, c->spin[x]);
    return check_moments(s, c, w);
}

/* done: samples that every chain has, of the first chain for the others to agree with */
static ng_status get_chain(source *s, ngi_chain *c, const ngi_walk *w, uint64_t *done)
{
    unsigned char state[RNG_BYTES];
    uint64_t drawn, own;
    TRY(get(s, state, sizeof state));
    TRY(get(s, c->draws, sizeof c->draws));
    TRY(get(s, &drawn, sizeof drawn));
    TRY(get(s, &own, sizeof own));
    if (drawn > NGI_DRAWS)
        return damaged(s, "drawn", 0, (double)drawn);
    if (own > w->samples || own % NGI_BATCH != 0 || (s->chain > 0 && own != *done))
        return damaged(s, "done", 0, (double)own);
    TRY(get(s, c->spin, w->sites));
    TRY(get(s, c->memory, doubles_of(w) * sizeof(double)));
    TRY(load_generator(s, c, state));
    c->drawn = drawn;
    c->done = *done = own;
    return check_chain(s, c, w);
}

static ng_status get_all(source *s, const ng_wolff_options *o, const ngi_walk *w, ngi_chain *chains)
{
    head h;
    const head expected = head_of(o, w);
    uint64_t done = 0, sum;
    if (fread(&h, 1, sizeof h, s->file) != sizeof h || memcmp(&h, &expected, sizeof h) != 0)
        return ng_error_set(s->error, NG_EFORMAT,
                            "checkpoint: %s: not a checkpoint of a run with these options",
                            s->path);
    s->sum = add_up(s->sum, &h, sizeof h);
    for (; s->chain < o->chains; s->chain++)
        TRY(get_chain(s, &chains[s->chain], w, &done));
    const uint64_t actual = s->sum;
    TRY(get(s, &sum, sizeof sum));
    if (sum != actual || fgetc(s->file) != EOF)
        return ng_error_set(s->error, NG_EFORMAT, "checkpoint: %s: damaged: wrong check sum",
                            s->path);
    return NG_OK;
}

/* *file <- the regular file at path; NULL without an error where there is none. A FIFO is not
 * waited for. */
static ng_status open_file(FILE **file, const char *path, const char *shown, ng_error *error)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    *file = NULL;
    if (fd < 0 && errno == ENOENT)
        return NG_OK;
    int regular = fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
    if (regular && (*file = fdopen(fd, "rb")) != NULL)
        return NG_OK;
    int why = errno;
    if (fd >= 0)
        close(fd);
    return ng_error_set(error, NG_EIO, "checkpoint: %s: %s", shown,
                        fd >= 0 && !regular ? "not a regular file" : strerror(why));
}

ng_status ngi_checkpoint_load(int *found, const ng_wolff_options *o, const ngi_walk *w,
                              ngi_chain *chains, ng_error *error)
{
    size_t length = strlen(o->checkpoint);
    source s = {.path = o->checkpoint + (length > SHOWN ? length - SHOWN : 0), .error = error};
    TRY(open_file(&s.file, o->checkpoint, s.path, error));
    *found = s.file != NULL;
    if (!*found)
        return NG_OK;
    ng_status status = get_all(&s, o, w, chains);
    fclose(s.file);
    return status;
}
