/* Normal numbers by counting (normal.h): some blocks at a time, every stage a loop over them. */
#include "lib/linalg/normal.h"

#include <math.h>
#include <string.h>

#include "lib/core/clones.h"

/* At most so many blocks at a time, in whole vectors. */
enum { BLOCKS = 128, VECTOR = 8 };

typedef struct {
    uint32_t word[4][BLOCKS];
} page;

/* Ten rounds (Salmon and others 2011, section 3.3 and table 2). */
NGI_CLONES_WIDE
static void draw(page *p, size_t blocks, uint64_t key, uint64_t first)
{
    uint32_t *restrict a = p->word[0], *restrict b = p->word[1];
    uint32_t *restrict c = p->word[2], *restrict d = p->word[3];
    uint32_t k = (uint32_t)key, l = (uint32_t)(key >> 32);
    for (size_t i = 0; i < blocks; i++) {
        a[i] = (uint32_t)(first + i);
        b[i] = (uint32_t)((first + i) >> 32);
        c[i] = d[i] = 0;
    }
    for (int round = 0; round < 10; round++) {
        for (size_t i = 0; i < blocks; i++) {
            uint64_t x = (uint64_t)a[i] * 0xd2511f53U, y = (uint64_t)c[i] * 0xcd9e8d57U;
            uint32_t other = (uint32_t)(x >> 32) ^ d[i] ^ l;
            a[i] = (uint32_t)(y >> 32) ^ b[i] ^ k;
            b[i] = (uint32_t)y;
            c[i] = other;
            d[i] = (uint32_t)x;
        }
        k += 0x9e3779b9U;
        l += 0xbb67ae85U;
    }
}

#include "lib/linalg/normal_kernels.h"

void ngi_normal_fill(void *out, size_t n, uint64_t key, uint64_t first, ng_dtype dtype)
{
    const size_t size = ng_dtype_size(dtype);
    double room[4 * BLOCKS];
    page p;
    while (n > 0) {
        size_t skip = (size_t)(first % 4), most = 4 * BLOCKS - skip, count = n < most ? n : most;
        size_t blocks = (skip + count + 3) / 4;
        blocks = (blocks + VECTOR - 1) / VECTOR * VECTOR;
        int whole = count == 4 * blocks;
        draw(&p, blocks, key, first / 4);
        transforms[dtype](&p, blocks, whole ? out : room);
        if (!whole)
            memcpy(out, (const char *)room + skip * size, count * size);
        out = (char *)out + count * size;
        first += count;
        n -= count;
    }
}
