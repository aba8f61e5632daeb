/* Bytes as label index:value ...: one of choices, then the file. */
#include "tests/fuzz/data.h"

static size_t fuzz_seed(unsigned char *out, size_t room, size_t i)
{
    static const char *const files[] = {
        "1 1:0.5 3:2\n-1 2:1\n1 1:1 2:2 3:3\n-1 3:-4.5e-3\n+1 1:3\n-1\n",
        "0 0:1 5:2 # note\n1 1:1\n2 2:1\n0 4:1\n1 0:1\n2 1:1 2:2\n",
        "1.5 qid:1 1:2\n2.5 qid:1 2:1\n",
    };
    (void)room;
    return i < sizeof files / sizeof *files ? fuzz_say(out, 1, files[i]) : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_bytes b = {data, size};
    ng_dataset_options o;
    char source[64];
    fuzz_choose(&o, fuzz_byte(&b));
    snprintf(source, sizeof source, "libsvm:%s", fuzz_file(0, b.at, b.size));
    fuzz_dataset(source, &o);
    return 0;
}
