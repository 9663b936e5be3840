/* The tools, as wit/skill.wit has them: what comes in is checked here, and what goes out
 * is made. The algorithms are in files of their own, which know nothing of skills. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bailiwick.h"
#include "checksum.h"
#include "chunker.h"
#include "xxh64.h"

#define DEFAULT_AVERAGE 8192u
#define LEAST_AVERAGE 256u
#define MOST_AVERAGE (1u << 20)

typedef exports_examples_hash_tools_content_t content;
typedef exports_examples_hash_tools_digest_t digest;
typedef exports_examples_hash_tools_chunk_t chunk;
typedef exports_examples_hash_tools_list_chunk_t chunk_list;

/* Text and bytes are the same to a hash. */
static skill_list_u8_t bytes_of(const content *content) {
    if (content->tag == EXPORTS_EXAMPLES_HASH_TOOLS_CONTENT_TEXT) {
        return (skill_list_u8_t){content->val.text.ptr, content->val.text.len};
    }
    return content->val.bytes;
}

bool exports_examples_hash_tools_xxh64(content *content, uint64_t *maybe_seed, digest *ret, skill_string_t *err) {
    skill_list_u8_t bytes = bytes_of(content);
    uint64_t hash = xxh64(bytes.ptr, bytes.len, maybe_seed != NULL ? *maybe_seed : 0);
    bailiwick_print(&ret->hex, "%016" PRIx64, hash);
    ret->size = bytes.len;
    return true;
}

bool exports_examples_hash_tools_checksum(content *content, exports_examples_hash_tools_sum_t kind, digest *ret,
                                          skill_string_t *err) {
    skill_list_u8_t bytes = bytes_of(content);
    uint32_t sum = 0;
    switch (kind) {
    case EXPORTS_EXAMPLES_HASH_TOOLS_SUM_CRC32: sum = crc32(bytes.ptr, bytes.len); break;
    case EXPORTS_EXAMPLES_HASH_TOOLS_SUM_CRC32C: sum = crc32c(bytes.ptr, bytes.len); break;
    case EXPORTS_EXAMPLES_HASH_TOOLS_SUM_ADLER32: sum = adler32(bytes.ptr, bytes.len); break;
    }
    bailiwick_print(&ret->hex, "%08" PRIx32, sum);
    ret->size = bytes.len;
    return true;
}

static void append(chunk_list *list, size_t *capacity, chunk one) {
    if (list->len == *capacity) {
        *capacity = *capacity > 0 ? *capacity * 2 : 16;
        chunk *larger = bailiwick_alloc(*capacity * sizeof one);
        if (list->len > 0) {
            memcpy(larger, list->ptr, list->len * sizeof one);
            free(list->ptr);
        }
        list->ptr = larger;
    }
    list->ptr[list->len++] = one;
}

bool exports_examples_hash_tools_chunks(content *content, uint32_t *maybe_average, chunk_list *ret,
                                        skill_string_t *err) {
    uint32_t average = maybe_average != NULL ? *maybe_average : DEFAULT_AVERAGE;
    bool power_of_two = average != 0 && (average & (average - 1)) == 0;
    if (!power_of_two || average < LEAST_AVERAGE || average > MOST_AVERAGE) {
        return bailiwick_fail(err, "`average` is %" PRIu32 ", expected a power of two from %u to %u", average,
                              LEAST_AVERAGE, MOST_AVERAGE);
    }
    skill_list_u8_t bytes = bytes_of(content);
    size_t capacity = 0;
    *ret = (chunk_list){0};
    for (size_t offset = 0, size; offset < bytes.len; offset += size) {
        size = next_chunk(bytes.ptr + offset, bytes.len - offset, average);
        chunk one = {.offset = offset, .size = (uint32_t)size};
        bailiwick_print(&one.hex, "%016" PRIx64, xxh64(bytes.ptr + offset, size, 0));
        append(ret, &capacity, one);
    }
    return true;
}
