/* gsl_rng behind an ng_random. */
#include <natgrad/train/rng.h>

#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <zlib.h>

/* A saved state is this head, then gsl_rng_size bytes. The check sum matters:
 * GSL indexes an array with a number out of the state. */
typedef struct {
    char magic[16];
    unsigned long size, sum;
} state_head;

static const char state_magic[16] = "natgrad mt19937";

static unsigned long sum_of(const void *bytes, size_t size)
{
    return crc32(crc32(0, NULL, 0), bytes, (uInt)size);
}

static void fill_normal(void *data, double *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = gsl_ran_gaussian_ziggurat(data, 1.0);
}

static void fill_uniform(void *data, double *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned long high = gsl_rng_get(data) >> 5, low = gsl_rng_get(data) >> 6;
        out[i] = ((double)high * 0x1p26 + (double)low) * 0x1p-53;
    }
}

static size_t save(const void *data, void *out, size_t size)
{
    const gsl_rng *rng = data;
    size_t need = sizeof(state_head) + gsl_rng_size(rng);
    if (out != NULL && size >= need) {
        state_head head = {.size = (unsigned long)gsl_rng_size(rng),
                           .sum = sum_of(gsl_rng_state(rng), gsl_rng_size(rng))};
        memcpy(head.magic, state_magic, sizeof head.magic);
        memcpy(out, &head, sizeof head);
        memcpy((char *)out + sizeof head, gsl_rng_state(rng), gsl_rng_size(rng));
    }
    return need;
}

static int load(void *data, const void *in, size_t size)
{
    gsl_rng *rng = data;
    const char *bytes = in;
    state_head head;
    if (in == NULL || size != sizeof head + gsl_rng_size(rng))
        return -1;
    memcpy(&head, bytes, sizeof head);
    if (memcmp(head.magic, state_magic, sizeof head.magic) != 0 || head.size != gsl_rng_size(rng) ||
        head.sum != sum_of(bytes + sizeof head, gsl_rng_size(rng)))
        return -1;
    memcpy(gsl_rng_state(rng), bytes + sizeof head, gsl_rng_size(rng));
    return 0;
}

/* gsl_rng_alloc would call GSL's error handler, which aborts, when memory runs
 * out; so the two blocks are ours. */
static gsl_rng *allocate(void)
{
    gsl_rng *rng = calloc(1, sizeof *rng);
    if (rng == NULL)
        return NULL;
    rng->type = gsl_rng_mt19937;
    rng->state = calloc(1, gsl_rng_mt19937->size);
    if (rng->state == NULL) {
        free(rng);
        return NULL;
    }
    return rng;
}

ng_status ng_rng_create(ng_random *random, unsigned long seed, ng_error *error)
{
    if (random == NULL)
        return ng_error_set(error, NG_EARG, "random is NULL");
    memset(random, 0, sizeof *random);
    if (seed > 0xffffffffUL)
        return ng_error_set(error, NG_EARG, "seed %lu, expected at most 4294967295", seed);
    gsl_rng *rng = allocate();
    if (rng == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for a random generator");
    gsl_rng_set(rng, seed);
    *random = (ng_random){fill_normal, fill_uniform, save, load, rng};
    return NG_OK;
}

void ng_rng_destroy(ng_random *random)
{
    if (random == NULL)
        return;
    if (random->data != NULL)
        gsl_rng_free(random->data);
    memset(random, 0, sizeof *random);
}

void ng_rng_shuffle(const ng_random *random, size_t *index, size_t n)
{
    double u[64];
    const size_t block = sizeof u / sizeof *u;
    while (n > 1) {
        size_t draws = n - 1 < block ? n - 1 : block;
        random->fill_uniform(random->data, u, draws);
        for (size_t i = 0; i < draws; i++, n--) {
            size_t j = (size_t)(u[i] * (double)n);
            j = j < n ? j : n - 1; /* whatever a generator returns */
            size_t swap = index[n - 1];
            index[n - 1] = index[j];
            index[j] = swap;
        }
    }
}
