/* CRC-32 (crc.h). */
#include "lib/tensors/crc.h"

void ngi_crc_begin(ngi_crc *crc)
{
    crc->value = 0;
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t x = i;
        for (int k = 0; k < 8; k++)
            x = x & 1 ? x >> 1 ^ 0xedb88320u : x >> 1;
        crc->table[0][i] = x;
    }
    for (int k = 1; k < 8; k++) /* a byte with k zero bytes after it */
        for (int i = 0; i < 256; i++) {
            uint32_t x = crc->table[k - 1][i];
            crc->table[k][i] = x >> 8 ^ crc->table[0][x & 255];
        }
}

static uint32_t word(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

void ngi_crc_add(ngi_crc *crc, const void *bytes, size_t size)
{
    const unsigned char *p = bytes;
    uint32_t x = ~crc->value;
    for (; size >= 8; size -= 8, p += 8) {
        uint32_t low = x ^ word(p), high = word(p + 4);
        x = crc->table[7][low & 255] ^ crc->table[6][low >> 8 & 255] ^
            crc->table[5][low >> 16 & 255] ^ crc->table[4][low >> 24] ^ crc->table[3][high & 255] ^
            crc->table[2][high >> 8 & 255] ^ crc->table[1][high >> 16 & 255] ^
            crc->table[0][high >> 24];
    }
    for (; size > 0; size--, p++)
        x = crc->table[0][(x ^ *p) & 255] ^ x >> 8;
    crc->value = ~x;
}
