/* IDX files: the second byte says how many belong to the images; the rest are the labels. */
#include "tests/fuzz/fuzz_data.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    ng_dataset_options options;
    char source[256];
    if (size < 2)
        return 0;
    fuzz_options(&options, bytes[0]);
    size_t first = bytes[1] < size - 2 ? bytes[1] : size - 2;
    snprintf(source, sizeof source, "idx:%s,%s", fuzz_file(0, bytes + 2, first),
             fuzz_file(1, bytes + 2 + first, size - 2 - first));
    fuzz_open(source, &options);
    return 0;
}
