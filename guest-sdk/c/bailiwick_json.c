/* JSON, written and read as far as tools and workflows need it. */
#include "bailiwick.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- writing --- */

static void append(bailiwick_json *json, const char *text, size_t length) {
    if (json->capacity - json->length < length) {
        size_t capacity = (json->length + length) * 2;
        char *larger = bailiwick_alloc(capacity);
        if (json->length > 0) {
            memcpy(larger, json->text, json->length);
        }
        free(json->text);
        json->text = larger;
        json->capacity = capacity;
    }
    memcpy(json->text + json->length, text, length);
    json->length += length;
}

static void append_text(bailiwick_json *json, const char *text) {
    append(json, text, strlen(text));
}

/* What every value begins with, and the state that it leaves. */
static void begin_value(bailiwick_json *json) {
    if (json->comma) {
        append_text(json, ",");
    }
    json->comma = true;
}

static void open_bracket(bailiwick_json *json, const char *bracket) {
    begin_value(json);
    append_text(json, bracket);
    json->comma = false;
}

static void close_bracket(bailiwick_json *json, const char *bracket) {
    append_text(json, bracket);
    json->comma = true;
}

void bailiwick_json_begin_object(bailiwick_json *json) { open_bracket(json, "{"); }
void bailiwick_json_end_object(bailiwick_json *json) { close_bracket(json, "}"); }
void bailiwick_json_begin_array(bailiwick_json *json) { open_bracket(json, "["); }
void bailiwick_json_end_array(bailiwick_json *json) { close_bracket(json, "]"); }

static void quote(bailiwick_json *json, const uint8_t *bytes, size_t length) {
    append_text(json, "\"");
    size_t plain = 0;
    for (size_t i = 0; i < length; i++) {
        uint8_t byte = bytes[i];
        if (byte >= 0x20 && byte != '"' && byte != '\\') {
            continue;
        }
        append(json, (const char *)bytes + plain, i - plain);
        plain = i + 1;
        char escape[8];
        if (byte == '"' || byte == '\\') {
            snprintf(escape, sizeof escape, "\\%c", byte);
        } else if (byte == '\n') {
            strcpy(escape, "\\n");
        } else {
            snprintf(escape, sizeof escape, "\\u%04x", byte);
        }
        append_text(json, escape);
    }
    append(json, (const char *)bytes + plain, length - plain);
    append_text(json, "\"");
}

void bailiwick_json_key(bailiwick_json *json, const char *key) {
    bailiwick_json_text(json, key);
    append_text(json, ":");
    json->comma = false;
}

void bailiwick_json_text(bailiwick_json *json, const char *value) {
    begin_value(json);
    quote(json, (const uint8_t *)value, strlen(value));
}

void bailiwick_json_string(bailiwick_json *json, const skill_string_t *value) {
    begin_value(json);
    quote(json, value->ptr, value->len);
}

void bailiwick_json_integer(bailiwick_json *json, int64_t value) {
    char digits[24];
    snprintf(digits, sizeof digits, "%lld", (long long)value);
    begin_value(json);
    append_text(json, digits);
}

void bailiwick_json_number(bailiwick_json *json, double value) {
    if (!isfinite(value)) {
        bailiwick_json_null(json);
        return;
    }
    /* The fewest digits that are read as the same number. */
    char digits[32];
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, value);
        if (strtod(digits, NULL) == value) {
            break;
        }
    }
    begin_value(json);
    append_text(json, digits);
}

void bailiwick_json_boolean(bailiwick_json *json, bool value) {
    begin_value(json);
    append_text(json, value ? "true" : "false");
}

void bailiwick_json_null(bailiwick_json *json) {
    begin_value(json);
    append_text(json, "null");
}

void bailiwick_json_raw(bailiwick_json *json, const skill_string_t *value) {
    begin_value(json);
    append(json, (const char *)value->ptr, value->len);
}

skill_string_t bailiwick_json_take(bailiwick_json *json) {
    skill_string_t text = {(uint8_t *)json->text, json->length};
    *json = (bailiwick_json){0};
    return text;
}

/* --- reading --- */

/* What is left of a text. */
typedef struct {
    const uint8_t *at;
    const uint8_t *end;
} cursor;

static void skip_blanks(cursor *text) {
    while (text->at < text->end && strchr(" \t\r\n", *text->at) != NULL && *text->at != '\0') {
        text->at++;
    }
}

static bool skip_byte(cursor *text, char byte) {
    skip_blanks(text);
    if (text->at == text->end || *text->at != (uint8_t)byte) {
        return false;
    }
    text->at++;
    return true;
}

/* From the first quote to behind the last. */
static bool skip_string(cursor *text) {
    if (!skip_byte(text, '"')) {
        return false;
    }
    while (text->at < text->end) {
        uint8_t byte = *text->at++;
        if (byte == '"') {
            return true;
        }
        if (byte == '\\' && text->at < text->end) {
            text->at++;
        }
    }
    return false;
}

/* Brackets are counted and not matched: the host gives only JSON that is well-formed. */
static bool skip_brackets(cursor *text) {
    size_t depth = 0;
    while (text->at < text->end) {
        uint8_t byte = *text->at;
        if (byte == '"') {
            if (!skip_string(text)) {
                return false;
            }
            continue;
        }
        text->at++;
        if (byte == '{' || byte == '[') {
            depth++;
        } else if ((byte == '}' || byte == ']') && --depth == 0) {
            return true;
        }
    }
    return false;
}

/* A value, which is also given as the part of the text that it is. */
static bool skip_value(cursor *text, skill_string_t *value) {
    skip_blanks(text);
    const uint8_t *start = text->at;
    if (start == text->end) {
        return false;
    }
    bool whole = true;
    if (*start == '"') {
        whole = skip_string(text);
    } else if (*start == '{' || *start == '[') {
        whole = skip_brackets(text);
    } else {
        while (text->at < text->end && strchr(",]} \t\r\n", *text->at) == NULL) {
            text->at++;
        }
        whole = text->at > start;
    }
    *value = (skill_string_t){(uint8_t *)start, (size_t)(text->at - start)};
    return whole;
}

static bool same_key(const skill_string_t *quoted, const char *key) {
    skill_string_t text;
    if (!bailiwick_json_read_string(quoted, &text)) {
        return false;
    }
    bool same = bailiwick_equals(&text, key);
    free(text.ptr);
    return same;
}

bool bailiwick_json_get(const skill_string_t *object, const char *key, skill_string_t *value) {
    cursor text = {object->ptr, object->ptr + object->len};
    if (!skip_byte(&text, '{')) {
        return false;
    }
    skill_string_t name, found;
    do {
        if (!skip_value(&text, &name) || !skip_byte(&text, ':') || !skip_value(&text, &found)) {
            return false;
        }
        if (same_key(&name, key)) {
            *value = found;
            return true;
        }
    } while (skip_byte(&text, ','));
    return false;
}

bool bailiwick_json_next(const skill_string_t *array, size_t *position, skill_string_t *value) {
    cursor text = {array->ptr + *position, array->ptr + array->len};
    bool first = *position == 0;
    if (!skip_byte(&text, first ? '[' : ',')) {
        return false;
    }
    skip_blanks(&text);
    if (text.at < text.end && *text.at == ']') {
        return false;
    }
    if (!skip_value(&text, value)) {
        return false;
    }
    *position = (size_t)(text.at - array->ptr);
    return true;
}

static bool read_hex(const uint8_t *digits, const uint8_t *end, uint32_t *code) {
    if (end - digits < 4) {
        return false;
    }
    *code = 0;
    for (int i = 0; i < 4; i++) {
        if (!isxdigit(digits[i])) {
            return false;
        }
        *code = *code * 16 + (uint32_t)(isdigit(digits[i]) ? digits[i] - '0' : tolower(digits[i]) - 'a' + 10);
    }
    return true;
}

static uint8_t *put_utf8(uint8_t *to, uint32_t code) {
    if (code < 0x80) {
        *to++ = (uint8_t)code;
    } else if (code < 0x800) {
        *to++ = (uint8_t)(0xc0 | code >> 6);
        *to++ = (uint8_t)(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        *to++ = (uint8_t)(0xe0 | code >> 12);
        *to++ = (uint8_t)(0x80 | (code >> 6 & 0x3f));
        *to++ = (uint8_t)(0x80 | (code & 0x3f));
    } else {
        *to++ = (uint8_t)(0xf0 | code >> 18);
        *to++ = (uint8_t)(0x80 | (code >> 12 & 0x3f));
        *to++ = (uint8_t)(0x80 | (code >> 6 & 0x3f));
        *to++ = (uint8_t)(0x80 | (code & 0x3f));
    }
    return to;
}

/* The character of `\uXXXX`, or of two of them; a half of a pair is U+FFFD, because a
 * string of a skill is UTF-8, which has none. */
static bool read_escaped(const uint8_t **at, const uint8_t *end, uint32_t *code) {
    if (!read_hex(*at, end, code)) {
        return false;
    }
    *at += 4;
    if (*code >= 0xdc00 && *code < 0xe000) {
        *code = 0xfffd;
    } else if (*code >= 0xd800 && *code < 0xdc00) {
        uint32_t low;
        bool pair = end - *at >= 6 && (*at)[0] == '\\' && (*at)[1] == 'u' && read_hex(*at + 2, end, &low) &&
                    low >= 0xdc00 && low < 0xe000;
        if (!pair) {
            *code = 0xfffd;
            return true;
        }
        *code = 0x10000 + ((*code - 0xd800) << 10) + (low - 0xdc00);
        *at += 6;
    }
    return true;
}

bool bailiwick_json_read_string(const skill_string_t *value, skill_string_t *text) {
    if (value->len < 2 || value->ptr[0] != '"' || value->ptr[value->len - 1] != '"') {
        return false;
    }
    const uint8_t *at = value->ptr + 1, *end = value->ptr + value->len - 1;
    /* No escape is shorter than what it stands for. */
    uint8_t *start = bailiwick_alloc(value->len), *to = start;
    while (at < end) {
        if (*at != '\\') {
            *to++ = *at++;
            continue;
        }
        const char *escapes = "\"\\/bfnrt", *meant = "\"\\/\b\f\n\r\t";
        uint8_t escape = at + 1 < end ? at[1] : '\0';
        const char *plain = escape != '\0' ? strchr(escapes, escape) : NULL;
        at += 2;
        uint32_t code;
        if (plain != NULL) {
            code = (uint8_t)meant[plain - escapes];
        } else if (escape != 'u' || !read_escaped(&at, end, &code)) {
            free(start);
            return false;
        }
        to = put_utf8(to, code);
    }
    *text = (skill_string_t){start, (size_t)(to - start)};
    return true;
}

/* The value as text with a NUL behind its end, where it can be a number: strtod would read
 * what JSON doesn't know, such as infinity or digits of base 16. */
static char *number_text(const skill_string_t *value) {
    bool can = value->len > 0 && (value->ptr[0] == '-' || isdigit(value->ptr[0]));
    for (size_t i = 0; can && i < value->len; i++) {
        can = isdigit(value->ptr[i]) || (value->ptr[i] != '\0' && strchr("+-.eE", value->ptr[i]) != NULL);
    }
    return can ? bailiwick_c_string(value) : NULL;
}

bool bailiwick_json_read_integer(const skill_string_t *value, int64_t *number) {
    char *text = number_text(value), *end = NULL;
    if (text == NULL) {
        return false;
    }
    errno = 0;
    long long read = strtoll(text, &end, 10);
    bool whole = errno == 0 && *end == '\0' && end != text;
    free(text);
    if (whole) {
        *number = read;
    }
    return whole;
}

bool bailiwick_json_read_number(const skill_string_t *value, double *number) {
    char *text = number_text(value), *end = NULL;
    if (text == NULL) {
        return false;
    }
    double read = strtod(text, &end);
    bool whole = *end == '\0' && end != text && isfinite(read);
    free(text);
    if (whole) {
        *number = read;
    }
    return whole;
}

bool bailiwick_json_read_boolean(const skill_string_t *value, bool *truth) {
    bool is_true = bailiwick_equals(value, "true");
    if (!is_true && !bailiwick_equals(value, "false")) {
        return false;
    }
    *truth = is_true;
    return true;
}
