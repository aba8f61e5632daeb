/* The checkpoint of a Monte Carlo run with bytes changed and its check sum put right: refused, or
 * the same bytes are saved again, or the run goes on from it to finite numbers. One byte chooses
 * between a run that has begun and one that is done (1), and whether it goes on to its end (below
 * 16: that takes a hundred times as long); then come changes: chain (of all from 128 on), two bytes
 * of place in it, one how many, the bytes. */
#include "tests/fuzz/fuzz.h"

#include <natgrad/lab/lattice.h>

enum { CHAINS = 20, HEAD = 88, SUM = 8, BYTES = 1 << 20 };

static char path[64];

static int stop(void *data, size_t done, size_t total)
{
    (void)data, (void)done, (void)total;
    return 1;
}

static void begin(ng_wolff_options *o)
{
    ng_wolff_init(o);
    o->lattice = (ng_lattice){NG_LATTICE_ISING2D, 3, 0.3};
    o->samples = 20 * 81;
    o->flips = 1;
    o->warmup = 1;
    o->chains = CHAINS;
    o->checkpoint = path;
}

static void remove_file(void)
{
    unlink(path);
}

/* A run of ours as a file; its size. */
static size_t make(unsigned char *bytes, int done)
{
    ng_wolff_options o;
    ng_wolff_result result;
    begin(&o);
    o.progress = done ? NULL : stop;
    check(ng_wolff_run(&result, &o, NULL) == (done ? NG_OK : NG_STOPPED));
    return fuzz_take(bytes, BYTES, path);
}

static size_t fuzz_seed(unsigned char *out, size_t room, size_t i)
{
    static const unsigned char seeds[][12] = {
        {16, 128, 0, 0, 8, 'p', 'h', 'i', 'l', 'o', 'x', '1'},
        {1, 3, 2, 0, 7, 1, 1, 1, 1, 1, 1, 1},
        {0, 255, 32, 9, 7, 0, 0, 0, 0, 0, 0, 0x40},
        {16, 255, 32, 9, 7, 0, 0, 0, 0, 0, 0, 0x40},
        {17, 3, 2, 0, 7, 1, 1, 1, 1, 1, 1, 1},
        {1, 2, 32, 80, 7, 0, 0, 0, 0, 0, 0xf8, 0x7f},
    };
    (void)room;
    if (i >= sizeof seeds / sizeof *seeds)
        return 0;
    memcpy(out, seeds[i], sizeof *seeds);
    return sizeof *seeds;
}

/* `count` bytes at a place of one chain of the file, or of all of them. */
static void change(unsigned char *file, size_t size, fuzz_bytes *b)
{
    const size_t each = (size - HEAD - SUM) / CHAINS;
    unsigned chain = fuzz_byte(b);
    size_t at = fuzz_byte(b) << 8;
    at = (at | fuzz_byte(b)) % each;
    for (size_t count = fuzz_byte(b); count > 0 && b->size > 0; count--, at = (at + 1) % each) {
        unsigned char byte = (unsigned char)fuzz_byte(b);
        for (size_t c = 0; c < CHAINS; c++)
            if (chain >= 128 || chain % CHAINS == c)
                file[HEAD + c * each + at] = byte;
    }
}

/* What was read from these bytes is what is written. */
static void check_saved(const unsigned char *bytes, size_t size)
{
    static unsigned char saved[BYTES];
    check(fuzz_take(saved, BYTES, path) == size && memcmp(saved, bytes, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static unsigned char made[2][BYTES], bytes[BYTES];
    static size_t sizes[2];
    fuzz_bytes b = {data, size};
    ng_wolff_options o;
    ng_wolff_result r;
    ng_error error;
    if (path[0] == '\0') {
        snprintf(path, sizeof path, "%s/natgrad-fuzz-%ld",
                 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", (long)getpid());
        sizes[0] = make(made[0], 0);
        sizes[1] = make(made[1], 1);
        atexit(remove_file);
    }
    const unsigned choice = fuzz_byte(&b);
    const int which = choice & 1;
    memcpy(bytes, made[which], sizes[which]);
    while (b.size > 0)
        change(bytes, sizes[which], &b);
    fuzz_sum(bytes, sizes[which], SUM);
    FILE *file = fopen(path, "wb");
    check(file != NULL && fwrite(bytes, 1, sizes[which], file) == sizes[which]);
    check(fclose(file) == 0);
    begin(&o);
    o.progress = choice < 16 ? NULL : stop;
    ng_status status = ng_wolff_run(&r, &o, &error);
    if (status == NG_STOPPED) {
        check_saved(bytes, sizes[which]);
        return 0;
    }
    if (status != NG_OK) {
        check_failed(status, &error);
        return 0;
    }
    check(isfinite(r.plain) && isfinite(r.cross) && isfinite(r.corrected) && isfinite(r.sigma));
    check(isfinite(r.mean) && isfinite(r.tau_energy) && isfinite(r.tau_mode) && r.resumed == 1);
    return 0;
}
