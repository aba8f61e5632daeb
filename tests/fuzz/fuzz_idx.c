/* Bytes as IDX, a pair of files: one of choices, one that says how much is the second, the files.
 */
#include "tests/fuzz/data.h"

static size_t fuzz_seed(unsigned char *out, size_t room, size_t i)
{
    static const unsigned char types[][2] = {{0x08, 1}, {0x0b, 2}, {0x0d, 4}, {0x0e, 8}};
    static const unsigned char sizes[] = {0, 0, 0, 6, 0, 0, 0, 2, 0, 0, 0, 2};
    (void)room;
    if (i >= sizeof types / sizeof *types)
        return 0;
    size_t size = 2, bytes = 24 * (size_t)types[i][1];
    memset(out, 0, 2 + 16 + bytes + 8 + 6);
    out[1] = 8 + 6;
    out[size + 2] = types[i][0];
    out[size + 3] = 3;
    memcpy(out + size + 4, sizes, 12);
    for (size_t k = 0; k < bytes; k++)
        out[size + 16 + k] = (unsigned char)(k % 61);
    size += 16 + bytes;
    out[size + 2] = 0x08;
    out[size + 3] = 1;
    memcpy(out + size + 4, sizes, 4);
    for (size_t k = 0; k < 6; k++)
        out[size + 8 + k] = (unsigned char)(k % 2);
    return size + 8 + 6;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_bytes b = {data, size};
    ng_dataset_options o;
    char source[128];
    fuzz_choose(&o, fuzz_byte(&b));
    size_t second = fuzz_byte(&b);
    second = second < b.size ? second : b.size;
    const char *images = fuzz_file(0, b.at, b.size - second);
    const char *labels = fuzz_file(1, b.at + b.size - second, second);
    snprintf(source, sizeof source, "idx:%s,%s", images, labels);
    fuzz_dataset(source, &o);
    return 0;
}
