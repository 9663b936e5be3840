/* Strings, failures, and what the host offers. */
#include "bailiwick.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool bailiwick_equals(const skill_string_t *text, const char *other) {
    size_t length = strlen(other);
    return text->len == length && memcmp(text->ptr, other, length) == 0;
}

void *bailiwick_alloc(size_t size) {
    void *memory = malloc(size > 0 ? size : 1);
    if (memory == NULL) {
        char message[80];
        snprintf(message, sizeof message, "out of memory: %zu bytes more were asked for", size);
        bailiwick_panic(message);
    }
    return memory;
}

char *bailiwick_c_string(const skill_string_t *text) {
    char *copy = bailiwick_alloc(text->len + 1);
    for (size_t i = 0; i < text->len; i++) {
        copy[i] = text->ptr[i] != '\0' ? (char)text->ptr[i] : ' ';
    }
    copy[text->len] = '\0';
    return copy;
}

/* Makes room for `length` more bytes and a NUL, and gives the place for them. */
static char *grow(skill_string_t *text, size_t length) {
    uint8_t *larger = realloc(text->ptr, text->len + length + 1);
    if (larger == NULL) {
        bailiwick_panic("out of memory");
    }
    text->ptr = larger;
    return (char *)larger + text->len;
}

static void append(skill_string_t *to, const char *format, va_list values) {
    va_list again;
    va_copy(again, values);
    int length = vsnprintf(NULL, 0, format, values);
    if (length > 0) {
        vsnprintf(grow(to, (size_t)length), (size_t)length + 1, format, again);
        to->len += (size_t)length;
    }
    va_end(again);
}

void bailiwick_append(skill_string_t *to, const char *format, ...) {
    va_list values;
    va_start(values, format);
    append(to, format, values);
    va_end(values);
}

void bailiwick_append_string(skill_string_t *to, const skill_string_t *text) {
    if (text->len > 0) {
        memcpy(grow(to, text->len), text->ptr, text->len);
        to->len += text->len;
    }
}

void bailiwick_print(skill_string_t *to, const char *format, ...) {
    *to = (skill_string_t){0};
    va_list values;
    va_start(values, format);
    append(to, format, values);
    va_end(values);
}

bool bailiwick_fail(skill_string_t *err, const char *format, ...) {
    *err = (skill_string_t){0};
    va_list values;
    va_start(values, format);
    append(err, format, values);
    va_end(values);
    return false;
}

#ifdef SKILL_IMPORTS_WASI_LOGGING_LOGGING

static void log_message(wasi_logging_logging_level_t level, const char *format, va_list values) {
    skill_string_t context = {(uint8_t *)"", 0};
    skill_string_t message = {0};
    append(&message, format, values);
    wasi_logging_logging_log(level, &context, &message);
    free(message.ptr);
}

#define BAILIWICK_LOG(name, level)                \
    void name(const char *format, ...) {          \
        va_list values;                           \
        va_start(values, format);                 \
        log_message(level, format, values);       \
        va_end(values);                           \
    }

BAILIWICK_LOG(bailiwick_debug, WASI_LOGGING_LOGGING_LEVEL_DEBUG)
BAILIWICK_LOG(bailiwick_info, WASI_LOGGING_LOGGING_LEVEL_INFO)
BAILIWICK_LOG(bailiwick_warn, WASI_LOGGING_LOGGING_LEVEL_WARN)
BAILIWICK_LOG(bailiwick_error, WASI_LOGGING_LOGGING_LEVEL_ERROR)

#endif

#ifdef SKILL_IMPORTS_BAILIWICK_SKILL_PROGRESS

void bailiwick_progress(uint64_t done, uint64_t total, const char *message) {
    skill_string_t text = bailiwick_borrow(message);
    bailiwick_skill_progress_report(done, total > 0 ? &total : NULL, &text);
}

#endif

#ifdef SKILL_IMPORTS_BAILIWICK_SKILL_SKILLS

static const char *reason(uint8_t tag) {
    switch (tag) {
    case BAILIWICK_SKILL_SKILLS_ERROR_DENIED: return "denied";
    case BAILIWICK_SKILL_SKILLS_ERROR_NOT_FOUND: return "not found";
    case BAILIWICK_SKILL_SKILLS_ERROR_INVALID_ARGUMENTS: return "wrong arguments";
    case BAILIWICK_SKILL_SKILLS_ERROR_FAILED: return "failed";
    case BAILIWICK_SKILL_SKILLS_ERROR_APPROVAL_REQUIRED: return "needs the approval";
    case BAILIWICK_SKILL_SKILLS_ERROR_LIMIT: return "limit reached";
    default: return "unavailable";
    }
}

bool bailiwick_call(const char *skill, const char *tool, const skill_string_t *arguments,
                    skill_string_t *output, skill_string_t *error) {
    bailiwick_skill_skills_request_t request = {
        .skill = bailiwick_borrow(skill),
        .tool = {.is_some = tool != NULL},
        .arguments = *arguments,
    };
    if (tool != NULL) {
        request.tool.val = bailiwick_borrow(tool);
    }
    bailiwick_skill_skills_error_t why;
    if (bailiwick_skill_skills_call(&request, output, &why)) {
        return true;
    }
    /* Every case of the error has one text. */
    skill_string_t said = why.val.denied;
    bailiwick_print(error, "%s: %s: %.*s", skill, reason(why.tag), BAILIWICK_TEXT(said));
    return false;
}

#endif
