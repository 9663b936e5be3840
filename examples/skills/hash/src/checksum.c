#include "checksum.h"

/* The remainder of every byte by the polynomial. A call has one sum to work out, so the
 * table is made when it is needed. */
static void make_table(uint32_t table[256], uint32_t polynomial) {
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t remainder = byte;
        for (int bit = 0; bit < 8; bit++) {
            remainder = remainder >> 1 ^ (remainder & 1 ? polynomial : 0);
        }
        table[byte] = remainder;
    }
}

static uint32_t crc(const uint8_t *bytes, size_t size, uint32_t polynomial) {
    uint32_t table[256];
    make_table(table, polynomial);
    uint32_t sum = ~0u;
    for (size_t i = 0; i < size; i++) {
        sum = sum >> 8 ^ table[(sum ^ bytes[i]) & 0xff];
    }
    return ~sum;
}

uint32_t crc32(const uint8_t *bytes, size_t size) { return crc(bytes, size, 0xedb88320u); }

uint32_t crc32c(const uint8_t *bytes, size_t size) { return crc(bytes, size, 0x82f63b78u); }

/* The largest prime below 2^16. */
#define MODULUS 65521u
/* How many bytes can be added before a sum may pass 32 bits. */
#define BLOCK 5552u

uint32_t adler32(const uint8_t *bytes, size_t size) {
    uint32_t low = 1, high = 0;
    while (size > 0) {
        size_t block = size < BLOCK ? size : BLOCK;
        for (size_t i = 0; i < block; i++) {
            low += bytes[i];
            high += low;
        }
        low %= MODULUS;
        high %= MODULUS;
        bytes += block;
        size -= block;
    }
    return high << 16 | low;
}
