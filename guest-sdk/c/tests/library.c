/* The library on the machine that builds it, where sanitizers can watch:
 * cc -fsanitize=address,undefined -Itests -I. tests/library.c bailiwick.c bailiwick_json.c -lm */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bailiwick.h"

static int failures;

_Noreturn void bailiwick_panic(const char *message) {
    fprintf(stderr, "panic: %s\n", message);
    exit(2);
}

static void same(int line, const skill_string_t *text, const char *expected) {
    if (!bailiwick_equals(text, expected)) {
        fprintf(stderr, "line %d: expected %s, found %.*s\n", line, expected, BAILIWICK_TEXT(*text));
        failures++;
    }
}

static void holds(int line, bool truth, const char *what) {
    if (!truth) {
        fprintf(stderr, "line %d: %s does not hold\n", line, what);
        failures++;
    }
}

#define SAME(text, expected) same(__LINE__, &(text), expected)
#define HOLDS(what) holds(__LINE__, what, #what)

static void strings(void) {
    skill_string_t text;
    bailiwick_print(&text, "%s is %d", "x", 7);
    SAME(text, "x is 7");
    bailiwick_append(&text, "%s", "");
    bailiwick_append(&text, ", %c", 'y');
    skill_string_t more = bailiwick_borrow(" and z");
    bailiwick_append_string(&text, &more);
    SAME(text, "x is 7, y and z");
    free(text.ptr);
    HOLDS(!bailiwick_fail(&text, "no %s", "way"));
    SAME(text, "no way");
    free(text.ptr);
    char *c = bailiwick_c_string(&(skill_string_t){(uint8_t *)"a\0b", 3});
    HOLDS(strcmp(c, "a b") == 0);
    free(c);
    HOLDS(!bailiwick_equals(&more, " and") && bailiwick_equals(&more, " and z"));
}

static void writing(void) {
    bailiwick_json json = {0};
    bailiwick_json_begin_object(&json);
    bailiwick_json_key(&json, "a \"key\"");
    bailiwick_json_text(&json, "line\nquote\" back\\ tab\t bell\a \x7f \xc3\xbc");
    bailiwick_json_key(&json, "list");
    bailiwick_json_begin_array(&json);
    bailiwick_json_integer(&json, INT64_MIN);
    bailiwick_json_number(&json, 0.1);
    bailiwick_json_number(&json, 1e300 * 10);
    bailiwick_json_number(&json, 1e300 * 1e300);
    bailiwick_json_boolean(&json, true);
    bailiwick_json_null(&json);
    bailiwick_json_begin_array(&json);
    bailiwick_json_end_array(&json);
    bailiwick_json_begin_object(&json);
    bailiwick_json_end_object(&json);
    skill_string_t raw = bailiwick_borrow("{\"x\":1}");
    bailiwick_json_raw(&json, &raw);
    bailiwick_json_end_array(&json);
    bailiwick_json_key(&json, "last");
    bailiwick_json_string(&json, &(skill_string_t){(uint8_t *)"a\0b", 3});
    bailiwick_json_end_object(&json);
    skill_string_t text = bailiwick_json_take(&json);
    SAME(text, "{\"a \\\"key\\\"\":\"line\\nquote\\\" back\\\\ tab\\u0009 bell\\u0007 \x7f \xc3\xbc\","
               "\"list\":[-9223372036854775808,0.1,1e+301,null,true,null,[],{},{\"x\":1}],\"last\":\"a\\u0000b\"}");
    free(text.ptr);
    HOLDS(json.text == NULL && json.length == 0 && !json.comma);
}

static const char *const DOCUMENT =
    " { \"a\" : 1 , \"n\\u0061me\" : \"x\\ny \\ud83d\\ude00 \\ud800! \\u00fc\\/\" , \"list\" : [ 1 , \"],\" , {\"a\":2} , [ ] ] ,"
    " \"deep\" : {\"in\":{\"a\":-2.5e1}} , \"yes\" : true , \"big\" : 9223372036854775808 , \"no\":null } ";

static void reading(void) {
    skill_string_t document = bailiwick_borrow(DOCUMENT), value, inner, text;
    int64_t integer = 0;
    double number = 0;
    bool truth = false;
    HOLDS(bailiwick_json_get(&document, "a", &value) && bailiwick_json_read_integer(&value, &integer) && integer == 1);
    HOLDS(bailiwick_json_get(&document, "name", &value) && bailiwick_json_read_string(&value, &text));
    SAME(text, "x\ny \xf0\x9f\x98\x80 \xef\xbf\xbd! \xc3\xbc/");
    free(text.ptr);
    HOLDS(bailiwick_json_get(&document, "list", &value));
    size_t cursor = 0;
    const char *elements[] = {"1", "\"],\"", "{\"a\":2}", "[ ]"};
    for (size_t i = 0; i < 4; i++) {
        HOLDS(bailiwick_json_next(&value, &cursor, &inner));
        SAME(inner, elements[i]);
    }
    HOLDS(!bailiwick_json_next(&value, &cursor, &inner));
    cursor = 0;
    skill_string_t empty = bailiwick_borrow("[ ]");
    HOLDS(!bailiwick_json_next(&empty, &cursor, &value));
    HOLDS(bailiwick_json_get(&document, "deep", &value) && bailiwick_json_get(&value, "in", &inner) &&
          bailiwick_json_get(&inner, "a", &value) && bailiwick_json_read_number(&value, &number) && number == -25);
    HOLDS(!bailiwick_json_read_integer(&value, &integer));
    HOLDS(bailiwick_json_get(&document, "yes", &value) && bailiwick_json_read_boolean(&value, &truth) && truth);
    HOLDS(bailiwick_json_get(&document, "big", &value) && !bailiwick_json_read_integer(&value, &integer));
    HOLDS(bailiwick_json_read_number(&value, &number) && number == 9223372036854775808.0);
    HOLDS(bailiwick_json_get(&document, "no", &value) && !bailiwick_json_read_boolean(&value, &truth));
    HOLDS(!bailiwick_json_get(&document, "in", &value) && !bailiwick_json_get(&document, "", &value));
}

static void no_json(void) {
    const char *wrong[] = {"", "\"", "\"a", "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\u00g0\"", "\"\\\x10\"", "a\"", "\"\\u\x10\x10\x10\x10\""};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        skill_string_t value = bailiwick_borrow(wrong[i]), text;
        if (bailiwick_json_read_string(&value, &text)) {
            fprintf(stderr, "read as a string: %s\n", wrong[i]);
            failures++;
        }
    }
    const char *no_numbers[] = {"", "-", "nan", "inf", "-inf", "0x10", "1 ", "1a", "\"1\"", "1e999"};
    for (size_t i = 0; i < sizeof no_numbers / sizeof *no_numbers; i++) {
        skill_string_t value = bailiwick_borrow(no_numbers[i]);
        double number;
        int64_t integer;
        if (bailiwick_json_read_number(&value, &number) || bailiwick_json_read_integer(&value, &integer)) {
            fprintf(stderr, "read as a number: %s\n", no_numbers[i]);
            failures++;
        }
    }
}

static void read_all(const skill_string_t *value) {
    skill_string_t inner, text;
    int64_t integer;
    double number;
    if (bailiwick_json_read_string(value, &text)) {
        free(text.ptr);
    }
    bailiwick_json_read_integer(value, &integer);
    bailiwick_json_read_number(value, &number);
    for (size_t cursor = 0; bailiwick_json_next(value, &cursor, &inner);) {
        read_all(&inner);
    }
    const char *keys[] = {"a", "name", "list", "deep", "in", "last"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (bailiwick_json_get(value, keys[i], &inner)) {
            read_all(&inner);
        }
    }
}

/* No text, however broken, is read beyond its end. Each is in memory of exactly its size. */
static void broken_text(void) {
    size_t length = strlen(DOCUMENT);
    uint32_t random = 1;
    for (int round = 0; round < 20000; round++) {
        size_t kept = round < (int)length ? (size_t)round : length;
        uint8_t *bytes = malloc(kept > 0 ? kept : 1);
        memcpy(bytes, DOCUMENT, kept);
        for (int change = 0; round >= (int)length && change < 3; change++) {
            random = random * 1664525 + 1013904223;
            bytes[(random >> 8) % kept] = (uint8_t)"{}[]\",:\\u0aX"[(random >> 24) % 12];
        }
        skill_string_t text = {bytes, kept};
        read_all(&text);
        free(bytes);
    }
}

int main(void) {
    strings();
    writing();
    reading();
    no_json();
    broken_text();
    return failures > 0;
}
