/* XXH64, from the specification of the algorithm. WebAssembly is little-endian, as the
 * specification reads its words, and loads them from any address. */
#include "xxh64.h"

#include <string.h>

#define PRIME_1 0x9e3779b185ebca87u
#define PRIME_2 0xc2b2ae3d27d4eb4fu
#define PRIME_3 0x165667b19e3779f9u
#define PRIME_4 0x85ebca77c2b2ae63u
#define PRIME_5 0x27d4eb2f165667c5u

/* Bytes of one round over all four lanes. */
#define STRIPE 32

static uint64_t rotate(uint64_t value, int bits) { return value << bits | value >> (64 - bits); }

static uint64_t word_64(const uint8_t *bytes) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

static uint64_t word_32(const uint8_t *bytes) {
    uint32_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

static uint64_t round_of(uint64_t lane, uint64_t word) {
    return rotate(lane + word * PRIME_2, 31) * PRIME_1;
}

static uint64_t merge(uint64_t hash, uint64_t lane) {
    return (hash ^ round_of(0, lane)) * PRIME_1 + PRIME_4;
}

/* All whole stripes; `*bytes` is behind them afterwards. */
static uint64_t hash_stripes(const uint8_t **bytes, size_t stripes, uint64_t seed) {
    uint64_t lanes[4] = {seed + PRIME_1 + PRIME_2, seed + PRIME_2, seed, seed - PRIME_1};
    const uint8_t *at = *bytes;
    for (size_t i = 0; i < stripes; i++, at += STRIPE) {
        lanes[0] = round_of(lanes[0], word_64(at));
        lanes[1] = round_of(lanes[1], word_64(at + 8));
        lanes[2] = round_of(lanes[2], word_64(at + 16));
        lanes[3] = round_of(lanes[3], word_64(at + 24));
    }
    *bytes = at;
    uint64_t hash = rotate(lanes[0], 1) + rotate(lanes[1], 7) + rotate(lanes[2], 12) + rotate(lanes[3], 18);
    for (int i = 0; i < 4; i++) {
        hash = merge(hash, lanes[i]);
    }
    return hash;
}

/* The bytes that fill no stripe. */
static uint64_t hash_rest(uint64_t hash, const uint8_t *at, const uint8_t *end) {
    for (; end - at >= 8; at += 8) {
        hash = rotate(hash ^ round_of(0, word_64(at)), 27) * PRIME_1 + PRIME_4;
    }
    if (end - at >= 4) {
        hash = rotate(hash ^ word_32(at) * PRIME_1, 23) * PRIME_2 + PRIME_3;
        at += 4;
    }
    for (; at < end; at++) {
        hash = rotate(hash ^ *at * PRIME_5, 11) * PRIME_1;
    }
    return hash;
}

static uint64_t avalanche(uint64_t hash) {
    hash = (hash ^ hash >> 33) * PRIME_2;
    hash = (hash ^ hash >> 29) * PRIME_3;
    return hash ^ hash >> 32;
}

uint64_t xxh64(const uint8_t *bytes, size_t size, uint64_t seed) {
    const uint8_t *at = bytes, *end = bytes + size;
    uint64_t hash = size >= STRIPE ? hash_stripes(&at, size / STRIPE, seed) : seed + PRIME_5;
    return avalanche(hash_rest(hash + size, at, end));
}
