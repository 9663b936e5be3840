#ifndef CHUNKER_H
#define CHUNKER_H

#include <stddef.h>
#include <stdint.h>

/* How many bytes the next piece has, of the `size` bytes that are left. `average` is a
 * power of two. */
size_t next_chunk(const uint8_t *bytes, size_t size, size_t average);

#endif
