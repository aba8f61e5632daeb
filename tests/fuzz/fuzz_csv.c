/* Bytes as a table: two of choices, then the file. */
#include "tests/fuzz/data.h"

static size_t fuzz_seed(unsigned char *out, size_t room, size_t i)
{
    static const char *const files[] = {
        "a,b,label\n1,2,x\n3,4,y\n5,6,x\n7,8,y\n9,1,x\n2,3,y\n",
        "1;2,5;0\n2;-3,5e1;1\n4;1,0;0\n3;3,25;1\n",
        "a b y\n1 red 0.5\n2 blue 1.5\n# no\n\nNA green 2\n4 red 3\n5 blue 1e-3\n",
        "\"a,\"\"1\",\"b\nc\"\n\"1\",x\n2,y\n3,x\n?,y\n5,\"x\"\n",
        "\xef\xbb\xbf"
        "0\t1\t2\n1\t2\t0\r\n2\t3\t1\r\n3\t9\t1\r\n1e300\t2\t0\n",
    };
    (void)room;
    return i < sizeof files / sizeof *files ? fuzz_say(out, 2, files[i]) : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const separators[] = {NULL, ";", "space", "tab"};
    static const char *const labels[] = {NULL, "1", "1,2", "y"};
    fuzz_bytes b = {data, size};
    ng_dataset_options o;
    char source[64];
    fuzz_choose(&o, fuzz_byte(&b));
    unsigned more = fuzz_byte(&b);
    o.header = (ng_header)((more & 3) % 3);
    if (separators[more >> 2 & 3] != NULL)
        o.separator = separators[more >> 2 & 3];
    o.label = labels[more >> 4 & 3];
    if (more & 64)
        o.decimal = ",";
    o.categorical = more & 128 ? "1" : NULL;
    snprintf(source, sizeof source, "csv:%s", fuzz_file(0, b.at, b.size));
    fuzz_dataset(source, &o);
    return 0;
}
