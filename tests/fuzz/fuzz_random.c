/* Bytes as the state of a generator, their check sum taken as right where the first is even. */
#include "tests/fuzz/fuzz.h"

#include <natgrad/train/rng.h>

enum { STATE = 48 };

static size_t fuzz_seed(unsigned char *out, size_t room, size_t i)
{
    ng_random random;
    double some[7];
    if (i >= 3)
        return 0;
    out[0] = 0;
    check(ng_rng_create_stream(&random, 7 * i, i, NULL) == NG_OK);
    random.fill_uniform(random.data, some, i);
    random.fill_normal(random.data, some, 2 * i);
    check(random.save(random.data, out + 1, room - 1) == STATE);
    ng_rng_destroy(&random);
    return 1 + STATE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_bytes b = {data, size};
    ng_random random;
    unsigned char before[STATE], after[STATE], bytes[STATE + 8];
    double some[9];
    int sum = fuzz_byte(&b) % 2 == 0;
    size_t n = b.size < sizeof bytes ? b.size : sizeof bytes;
    memcpy(bytes, b.at, n);
    if (sum)
        fuzz_sum(bytes, n, 8);
    check(ng_rng_create(&random, 1, NULL) == NG_OK);
    random.save(random.data, before, STATE);
    int refused = random.load(random.data, bytes, n);
    check(random.save(random.data, after, STATE) == STATE);
    check(memcmp(after, refused ? before : bytes, STATE) == 0);
    check(!refused || n != STATE || memcmp(before, bytes, STATE) != 0);
    random.fill_uniform(random.data, some, 9);
    for (size_t i = 0; i < 9; i++)
        check(some[i] >= 0 && some[i] < 1);
    random.fill_normal(random.data, some, 9);
    for (size_t i = 0; i < 9; i++)
        check(fabs(some[i]) < 9);
    ng_rng_destroy(&random);
    return 0;
}
