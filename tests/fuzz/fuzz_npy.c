/* npy files. */
#include "tests/fuzz/fuzz_data.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    ng_dataset_options options;
    char source[128];
    if (size == 0)
        return 0;
    fuzz_options(&options, bytes[0]);
    snprintf(source, sizeof source, "npy:%s", fuzz_file(0, bytes + 1, size - 1));
    fuzz_open(source, &options);
    return 0;
}
