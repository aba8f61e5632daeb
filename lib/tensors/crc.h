/* CRC-32 (ISO 3309, as in zlib and PNG), eight bytes at a time. */
#ifndef NGI_CRC_H
#define NGI_CRC_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint32_t value; /* of the bytes since begin */
    uint32_t table[8][256];
} ngi_crc;

void ngi_crc_begin(ngi_crc *crc);
void ngi_crc_add(ngi_crc *crc, const void *bytes, size_t size);

#endif
