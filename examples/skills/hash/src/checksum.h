#ifndef CHECKSUM_H
#define CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* CRC-32 as zip and PNG have it (reflected polynomial 0xedb88320). */
uint32_t crc32(const uint8_t *bytes, size_t size);

/* CRC-32C, Castagnoli (reflected polynomial 0x82f63b78). */
uint32_t crc32c(const uint8_t *bytes, size_t size);

/* Adler-32 as zlib has it. */
uint32_t adler32(const uint8_t *bytes, size_t size);

#endif
