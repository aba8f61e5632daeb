/* Bytes as NumPy arrays: one of choices, one that says how much is the second file (0: there is
 * none), the files. */
#include "tests/fuzz/data.h"

/* out <- an array of f8 or u1; its size. */
static size_t array(unsigned char *out, const char *type, size_t item, size_t rows, size_t cols)
{
    char head[128];
    int length = snprintf(head, sizeof head,
                          "{'descr': '%s', 'fortran_order': False, 'shape': (%zu,%.0zu%s), }", type,
                          rows, cols, cols > 0 ? "," : "");
    memcpy(out, "\x93NUMPY\x01\x00\x76\x00", 10);
    memset(out + 10, ' ', 118);
    memcpy(out + 10, head, (size_t)length);
    out[127] = '\n';
    size_t size = rows * (cols > 0 ? cols : 1) * item;
    for (size_t i = 0; i < size; i++)
        out[128 + i] = (unsigned char)(item == 1 || i % item >= 6 ? i / item % 3 : 0);
    return 128 + size;
}

static size_t fuzz_seed(unsigned char *out, size_t room, size_t i)
{
    (void)room;
    memset(out, 0, 2);
    size_t size = 2;
    switch (i) {
    case 0:
        return size + array(out + size, "<f8", 8, 6, 3);
    case 1:
        return size + array(out + size, "|u1", 1, 6, 4);
    case 2:
        size += array(out + size, "<f4", 4, 6, 2);
        out[1] = 128 + 6;
        return size + array(out + size, "|u1", 1, 6, 0);
    default:
        return 0;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_bytes b = {data, size};
    ng_dataset_options o;
    char source[128];
    fuzz_choose(&o, fuzz_byte(&b));
    size_t second = fuzz_byte(&b);
    second = second < b.size ? second : b.size;
    const char *rows = fuzz_file(0, b.at, b.size - second);
    const char *labels = fuzz_file(1, b.at + b.size - second, second);
    snprintf(source, sizeof source, "npy:%s%s%s", rows, second > 0 ? "," : "",
             second > 0 ? labels : "");
    fuzz_dataset(source, &o);
    return 0;
}
