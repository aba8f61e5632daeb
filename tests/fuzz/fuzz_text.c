/* Bytes as a text: one says how it is read, one the context, one whether it is gzipped here; then
 * the file, which may be gzipped itself. */
#include "tests/fuzz/data.h"

#include <zlib.h>

/* out <- the bytes as a gzip stream. */
static size_t zip(unsigned char *out, size_t room, const uint8_t *bytes, size_t size)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)bytes,
                  .avail_in = (uInt)size,
                  .next_out = out,
                  .avail_out = (uInt)room};
    check(deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 1, Z_DEFAULT_STRATEGY) == Z_OK);
    check(deflate(&z, Z_FINISH) == Z_STREAM_END && deflateEnd(&z) == Z_OK);
    return (size_t)z.total_out;
}

static size_t fuzz_seed(unsigned char *out, size_t room, size_t i)
{
    static const char text[] = "It was a dark and stormy night; the rain fell in torrents.\n";
    memset(out, 0, 3);
    switch (i) {
    case 0:
        return fuzz_say(out, 3, text);
    case 1:
        out[2] = 1;
        memcpy(out + 3, text, sizeof text);
        return 3 + sizeof text;
    case 2:
        out[0] = 1;
        return 3 + zip(out + 3, room - 3, (const uint8_t *)text, sizeof text);
    default:
        return 0;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static unsigned char zipped[FUZZ_ROOM];
    fuzz_bytes b = {data, size};
    ng_dataset_options o;
    char source[64];
    check(ng_dataset_init(&o) == NG_OK);
    const char *kind = fuzz_byte(&b) & 1 ? "sequences" : "text";
    o.context = 1 + fuzz_byte(&b) % 32;
    if (fuzz_byte(&b) & 1 && b.size < FUZZ_ROOM / 2)
        b = (fuzz_bytes){zipped, zip(zipped, sizeof zipped, b.at, b.size)};
    snprintf(source, sizeof source, "%s:%s", kind, fuzz_file(0, b.at, b.size));
    fuzz_dataset(source, &o);
    return 0;
}
