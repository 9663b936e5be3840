#ifndef XXH64_H
#define XXH64_H

#include <stddef.h>
#include <stdint.h>

/* XXH64 of `size` bytes. */
uint64_t xxh64(const uint8_t *bytes, size_t size, uint64_t seed);

#endif
