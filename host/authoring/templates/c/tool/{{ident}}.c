/* Measures texts. The build makes skill.h of wit/skill.wit: it declares each exports_…
 * function, and the types that they take and give. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "bailiwick.h"

#define DEFAULT_MOST 10
#define LARGEST_MOST 1000

/* Whatever is not ASCII counts as a letter: in UTF-8 it is several bytes from 0x80 on. */
static bool is_letter(uint8_t byte) { return isalnum(byte) || byte >= 0x80; }

/* The next word from `*at` on, or nothing. */
static bool next_word(const skill_string_t *text, size_t *at, skill_string_t *word) {
    while (*at < text->len && !is_letter(text->ptr[*at])) {
        ++*at;
    }
    size_t start = *at;
    while (*at < text->len && is_letter(text->ptr[*at])) {
        ++*at;
    }
    *word = (skill_string_t){text->ptr + start, *at - start};
    return word->len > 0;
}

void exports_skill_count(skill_string_t *text, skill_size_t *ret) {
    *ret = (skill_size_t){0};
    for (size_t i = 0; i < text->len; i++) {
        uint8_t byte = text->ptr[i];
        ret->lines += byte == '\n' || i + 1 == text->len;
        /* The other bytes of a character begin with the bits 10. */
        ret->characters += (byte & 0xc0) != 0x80;
    }
    skill_string_t word;
    for (size_t at = 0; next_word(text, &at, &word);) {
        ret->words++;
    }
}

static int by_word(const void *a, const void *b) {
    const skill_string_t *first = &((const skill_frequency_t *)a)->word;
    const skill_string_t *second = &((const skill_frequency_t *)b)->word;
    size_t shorter = first->len < second->len ? first->len : second->len;
    int order = memcmp(first->ptr, second->ptr, shorter);
    return order != 0 ? order : (first->len > second->len) - (first->len < second->len);
}

static int by_times(const void *a, const void *b) {
    uint32_t first = ((const skill_frequency_t *)a)->times, second = ((const skill_frequency_t *)b)->times;
    return first != second ? (first < second ? 1 : -1) : by_word(a, b);
}

/* Every word of the text, in lower case and once each time that it is there. */
static skill_list_frequency_t words_of(const skill_string_t *text) {
    skill_list_frequency_t words = {0};
    skill_string_t word;
    size_t at = 0;
    while (next_word(text, &at, &word)) {
        words.len++;
    }
    words.ptr = bailiwick_alloc(words.len * sizeof *words.ptr);
    at = 0;
    for (size_t i = 0; next_word(text, &at, &word); i++) {
        skill_string_dup_n(&words.ptr[i].word, (const char *)word.ptr, word.len);
        words.ptr[i].times = 1;
        for (size_t j = 0; j < word.len; j++) {
            words.ptr[i].word.ptr[j] = (uint8_t)tolower(word.ptr[j]);
        }
    }
    return words;
}

bool exports_skill_frequent(skill_string_t *text, uint32_t *maybe_most, skill_list_frequency_t *ret,
                            skill_string_t *err) {
    uint32_t most = maybe_most != NULL ? *maybe_most : DEFAULT_MOST;
    if (most < 1 || most > LARGEST_MOST) {
        /* A failure is the tool's own answer, and says what would be right. */
        return bailiwick_fail(err, "`most` is %u, expected 1 to %d", most, LARGEST_MOST);
    }
    skill_list_frequency_t words = words_of(text);
    qsort(words.ptr, words.len, sizeof *words.ptr, by_word);
    size_t kept = 0;
    for (size_t i = 0; i < words.len; i++) {
        if (kept > 0 && by_word(&words.ptr[kept - 1], &words.ptr[i]) == 0) {
            words.ptr[kept - 1].times++;
        } else {
            words.ptr[kept++] = words.ptr[i];
        }
    }
    qsort(words.ptr, kept, sizeof *words.ptr, by_times);
    /* What is returned is freed for you, so it has to be from malloc. */
    *ret = (skill_list_frequency_t){words.ptr, kept < most ? kept : most};
    return true;
}
