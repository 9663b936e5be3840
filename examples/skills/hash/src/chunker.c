/* Cutting by content: a rolling hash of the last 64 bytes decides, so that the same bytes
 * are cut at the same places wherever they stand. The hash is Gear's, with the two masks
 * of FastCDC that draw lengths towards the average. */
#include "chunker.h"

#include <stdbool.h>

/* A number for each byte. They must never change, or the same content would be cut at
 * other places: it is the sequence of SplitMix64 from the seed 0. */
static const uint64_t *gear(void) {
    static uint64_t numbers[256];
    static bool made = false;
    if (!made) {
        uint64_t state = 0;
        for (int i = 0; i < 256; i++) {
            uint64_t z = state += 0x9e3779b97f4a7c15u;
            z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
            z = (z ^ z >> 27) * 0x94d049bb133111ebu;
            numbers[i] = z ^ z >> 31;
        }
        made = true;
    }
    return numbers;
}

/* The upper bits of the hash: those that all 64 bytes have had a part in. */
static uint64_t upper_bits(int count) { return ~(uint64_t)0 << (64 - count); }

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

size_t next_chunk(const uint8_t *bytes, size_t size, size_t average) {
    size_t least = average / 4, most = average * 4;
    if (size <= least) {
        return size;
    }
    const uint64_t *numbers = gear();
    int bits = __builtin_ctzll(average);
    /* Harder to meet before the average, and easier behind it. */
    uint64_t before = upper_bits(bits + 1), behind = upper_bits(bits - 1);
    size_t middle = smaller(average, size), end = smaller(most, size);
    uint64_t hash = 0;
    size_t at = least;
    for (; at < middle; at++) {
        hash = (hash << 1) + numbers[bytes[at]];
        if ((hash & before) == 0) {
            return at + 1;
        }
    }
    for (; at < end; at++) {
        hash = (hash << 1) + numbers[bytes[at]];
        if ((hash & behind) == 0) {
            return at + 1;
        }
    }
    return end;
}
