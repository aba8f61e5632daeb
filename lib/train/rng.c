/* Random123's Philox4x32-10 behind an ng_random. */
#include <natgrad/train/rng.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <Random123/philox.h>
#include <zlib.h>

/* position[k]: numbers of that kind drawn so far, two a block */
typedef enum { UNIFORM, NORMAL } kind;
typedef struct {
    uint64_t seed, stream, position[2];
} generator;

void ng_rng_philox(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2])
{
    const philox4x32_ctr_t c = {{counter[0], counter[1], counter[2], counter[3]}};
    const philox4x32_key_t k = {{key[0], key[1]}};
    const philox4x32_ctr_t block = philox4x32_R(10, c, k);
    memcpy(out, block.v, 4 * sizeof *out);
}

/* ---- Numbers ---------------------------------------------------------------- */

static double of_words(uint32_t high, uint32_t low)
{
    return ((double)(high >> 5) * 0x1p26 + (double)(low >> 6)) * 0x1p-53;
}

static void uniform_pair(double pair[2], const uint32_t words[4])
{
    pair[0] = of_words(words[0], words[1]);
    pair[1] = of_words(words[2], words[3]);
}

static void normal_pair(double pair[2], const uint32_t words[4])
{
    const double two_pi = 6.28318530717958647693;
    uniform_pair(pair, words);
    double radius = sqrt(-2 * log(1 - pair[0])), angle = two_pi * pair[1];
    pair[0] = radius * cos(angle);
    pair[1] = radius * sin(angle);
}

static void fill(generator *g, kind what, void (*make)(double pair[2], const uint32_t words[4]),
                 double *out, size_t n)
{
    const uint32_t key[2] = {(uint32_t)g->seed, (uint32_t)(g->seed >> 32)};
    const uint64_t stream = g->stream | (uint64_t)what << 63;
    double pair[2];
    while (n > 0) {
        uint64_t block = g->position[what] / 2;
        size_t first = g->position[what] % 2, count = n < 2 - first ? n : 2 - first;
        const uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), (uint32_t)stream,
                                     (uint32_t)(stream >> 32)};
        uint32_t words[4];
        ng_rng_philox(words, counter, key);
        make(pair, words);
        memcpy(out, pair + first, count * sizeof *out);
        g->position[what] += count;
        out += count;
        n -= count;
    }
}

static void fill_normal(void *data, double *out, size_t n)
{
    fill(data, NORMAL, normal_pair, out, n);
}

static void fill_uniform(void *data, double *out, size_t n)
{
    fill(data, UNIFORM, uniform_pair, out, n);
}

/* ---- State ------------------------------------------------------------------ */

/* magic, seed, stream, two positions, check sum of what is before: 8 bytes each, low byte first */
enum { MAGIC = 8, FIELDS = 4, SUM = MAGIC + 8 * FIELDS, STATE = SUM + 8 };
static const char magic[MAGIC + 1] = "philox10";

static void put(unsigned char *bytes, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(value >> 8 * i);
}

static uint64_t take(const unsigned char *bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value |= (uint64_t)bytes[i] << 8 * i;
    return value;
}

static uint64_t sum_of(const unsigned char *bytes)
{
    return crc32(crc32(0, NULL, 0), bytes, SUM);
}

static size_t save(const void *data, void *out, size_t size)
{
    const generator *g = data;
    const uint64_t field[FIELDS] = {g->seed, g->stream, g->position[UNIFORM], g->position[NORMAL]};
    unsigned char *bytes = out;
    if (out == NULL || size < STATE)
        return STATE;
    memcpy(bytes, magic, MAGIC);
    for (int i = 0; i < FIELDS; i++)
        put(bytes + MAGIC + 8 * i, field[i]);
    put(bytes + SUM, sum_of(bytes));
    return STATE;
}

static int load(void *data, const void *in, size_t size)
{
    const unsigned char *bytes = in;
    generator *g = data, loaded;
    if (in == NULL || size != STATE || memcmp(bytes, magic, MAGIC) != 0 ||
        take(bytes + SUM) != sum_of(bytes))
        return -1;
    loaded.seed = take(bytes + MAGIC);
    loaded.stream = take(bytes + MAGIC + 8);
    loaded.position[UNIFORM] = take(bytes + MAGIC + 16);
    loaded.position[NORMAL] = take(bytes + MAGIC + 24);
    if (loaded.stream >> 63 != 0) /* the only field with a range */
        return -1;
    *g = loaded;
    return 0;
}

/* ---- Life ------------------------------------------------------------------- */

ng_status ng_rng_create_stream(ng_random *random, uint64_t seed, uint64_t stream, ng_error *error)
{
    if (random == NULL)
        return ng_error_set(error, NG_EARG, "random is NULL");
    memset(random, 0, sizeof *random);
    if (stream >> 63 != 0)
        return ng_error_set(error, NG_EARG, "stream: %llu, expected at most 2^63 - 1",
                            (unsigned long long)stream);
    generator *g = calloc(1, sizeof *g);
    if (g == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for a random generator");
    g->seed = seed;
    g->stream = stream;
    *random = (ng_random){fill_normal, fill_uniform, save, load, g};
    return NG_OK;
}

ng_status ng_rng_create(ng_random *random, uint64_t seed, ng_error *error)
{
    return ng_rng_create_stream(random, seed, 0, error);
}

void ng_rng_destroy(ng_random *random)
{
    if (random == NULL)
        return;
    free(random->data);
    memset(random, 0, sizeof *random);
}

/* ---- Integers --------------------------------------------------------------- */

/* One of 0 ... below - 1, 1 <= below <= 2^53. The high bits decide, which other
 * generators too have random. A draw is refused with probability below / 2^53 at most, so a
 * generator that is refused so often returns what it may not. */
static size_t integer(const ng_random *random, uint64_t below)
{
    const uint64_t all = (uint64_t)1 << 53, each = all / below;
    for (int tries = 0; tries < 100; tries++) {
        double u;
        random->fill_uniform(random->data, &u, 1);
        uint64_t bucket = u >= 0 && u < 1 ? (uint64_t)(u * 0x1p53) / each : below;
        if (bucket < below)
            return (size_t)bucket;
    }
    return (size_t)below - 1;
}

ng_status ng_rng_integers(const ng_random *random, size_t *out, size_t n, size_t below,
                          ng_error *error)
{
    if (random == NULL || random->fill_uniform == NULL)
        return ng_error_set(error, NG_EARG, "random: no fill_uniform");
    if (below == 0 || (uint64_t)below > (uint64_t)1 << 53)
        return ng_error_set(error, NG_EARG, "below: %zu, not in 1 ... 2^53", below);
    for (size_t i = 0; i < n; i++)
        out[i] = integer(random, below);
    return NG_OK;
}

void ng_rng_shuffle(const ng_random *random, size_t *index, size_t n)
{
    for (; n > 1; n--) {
        size_t j = integer(random, n), swap = index[n - 1];
        index[n - 1] = index[j];
        index[j] = swap;
    }
}
