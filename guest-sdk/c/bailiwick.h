/* What a skill in C needs beside its world: strings, failures, JSON, and short ways to
 * what the host offers. `skill.h`, which every build writes anew, has the types and
 * the functions of the skill's own world.
 *
 * Every call gets an instance of its own, whose memory is gone afterwards. What isn't
 * freed costs nothing beyond the call; what is returned has to be from malloc. */
#ifndef BAILIWICK_H
#define BAILIWICK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "skill.h"
#include "skill_imports.h"

#define BAILIWICK_PRINTF(at, first) __attribute__((format(printf, at, first)))

/* --- Strings: UTF-8 with a length, and no NUL behind the end --- */

/* `text` as an argument: nothing is copied, so it must not be returned. */
static inline skill_string_t bailiwick_borrow(const char *text) {
    return (skill_string_t){(uint8_t *)text, __builtin_strlen(text)};
}

/* Whether both are the same bytes. */
bool bailiwick_equals(const skill_string_t *text, const char *other);

/* A copy with a NUL behind its end, for functions of the C library. A NUL inside, which
 * would end it too early, is replaced by a blank. From malloc. */
char *bailiwick_c_string(const skill_string_t *text);

/* A string for `%.*s` of printf, which ends it at a NUL. */
#define BAILIWICK_TEXT(string) (int)(string).len, (const char *)(string).ptr

/* Writes text into `to`, as printf does, in memory from malloc. */
void bailiwick_print(skill_string_t *to, const char *format, ...) BAILIWICK_PRINTF(2, 3);

/* The same behind the text that `to` has, which is from malloc or begins as {0}. */
void bailiwick_append(skill_string_t *to, const char *format, ...) BAILIWICK_PRINTF(2, 3);
void bailiwick_append_string(skill_string_t *to, const skill_string_t *text);

/* The same for the failure of a tool, as the last line of its function:
 * `return bailiwick_fail(err, "there is no line %u", line);` */
bool bailiwick_fail(skill_string_t *err, const char *format, ...) BAILIWICK_PRINTF(2, 3);

/* Ends the call: the message goes to stderr, and the host shows it beside the trap. It is
 * for faults of the skill's own; what its caller did wrong is a failure. abort() and
 * assert() do the same with messages of their own. */
_Noreturn void bailiwick_panic(const char *message);

/* malloc that never gives NULL: without memory the call ends with a message. */
void *bailiwick_alloc(size_t size);

/* --- JSON that is written --- */

/* A document that grows; it begins as `bailiwick_json json = {0};`. Commas come by
 * themselves. Values are written with the functions below, members as a key and a value. */
typedef struct {
    char *text;
    size_t length;
    size_t capacity;
    bool comma;
} bailiwick_json;

void bailiwick_json_begin_object(bailiwick_json *json);
void bailiwick_json_end_object(bailiwick_json *json);
void bailiwick_json_begin_array(bailiwick_json *json);
void bailiwick_json_end_array(bailiwick_json *json);
void bailiwick_json_key(bailiwick_json *json, const char *key);
void bailiwick_json_text(bailiwick_json *json, const char *value);
void bailiwick_json_string(bailiwick_json *json, const skill_string_t *value);
void bailiwick_json_integer(bailiwick_json *json, int64_t value);
/* What is no finite number becomes null, because JSON knows no other. */
void bailiwick_json_number(bailiwick_json *json, double value);
void bailiwick_json_boolean(bailiwick_json *json, bool value);
void bailiwick_json_null(bailiwick_json *json);
/* A value that is JSON already, such as the output of another skill. */
void bailiwick_json_raw(bailiwick_json *json, const skill_string_t *value);
/* Hands the text over, in memory from malloc, and begins anew. */
skill_string_t bailiwick_json_take(bailiwick_json *json);

/* --- JSON that is read --- */

/* A value is the part of the text that it stands in: nothing is copied, and the text has
 * to stay. Each function is false where there is no such value, also in text that is
 * no JSON. */

/* The member `key` of an object. */
bool bailiwick_json_get(const skill_string_t *object, const char *key, skill_string_t *value);

/* The elements of an array, one a call; `*cursor` begins as 0. */
bool bailiwick_json_next(const skill_string_t *array, size_t *cursor, skill_string_t *value);

/* The text of a string, without its escapes; from malloc. */
bool bailiwick_json_read_string(const skill_string_t *value, skill_string_t *text);
/* A number without fraction or exponent that fits. */
bool bailiwick_json_read_integer(const skill_string_t *value, int64_t *number);
bool bailiwick_json_read_number(const skill_string_t *value, double *number);
bool bailiwick_json_read_boolean(const skill_string_t *value, bool *truth);

/* --- What the host offers --- */

/* Where the world doesn't import an interface, the compiler says so at the call. */
#define BAILIWICK_NEEDS(import) \
    __attribute__((unavailable("write `import " import ";` into the world of the skill")))

#ifdef SKILL_IMPORTS_WASI_LOGGING_LOGGING
#define BAILIWICK_NEEDS_LOGGING
#else
#define BAILIWICK_NEEDS_LOGGING BAILIWICK_NEEDS("wasi:logging/logging@0.1.0-draft")
#endif

/* Messages for whoever runs the skill; they are kept with the call. */
void bailiwick_debug(const char *format, ...) BAILIWICK_PRINTF(1, 2) BAILIWICK_NEEDS_LOGGING;
void bailiwick_info(const char *format, ...) BAILIWICK_PRINTF(1, 2) BAILIWICK_NEEDS_LOGGING;
void bailiwick_warn(const char *format, ...) BAILIWICK_PRINTF(1, 2) BAILIWICK_NEEDS_LOGGING;
void bailiwick_error(const char *format, ...) BAILIWICK_PRINTF(1, 2) BAILIWICK_NEEDS_LOGGING;

#ifdef SKILL_IMPORTS_BAILIWICK_SKILL_PROGRESS
#define BAILIWICK_NEEDS_PROGRESS
#else
#define BAILIWICK_NEEDS_PROGRESS BAILIWICK_NEEDS("bailiwick:skill/progress@0.1.0")
#endif

/* How far the call has come: `done` of `total`, which is 0 where the end isn't known. */
void bailiwick_progress(uint64_t done, uint64_t total, const char *message) BAILIWICK_NEEDS_PROGRESS;

#ifdef SKILL_IMPORTS_BAILIWICK_SKILL_SKILLS
#define BAILIWICK_NEEDS_SKILLS
#else
#define BAILIWICK_NEEDS_SKILLS BAILIWICK_NEEDS("bailiwick:skill/skills@0.1.0")
#endif

/* Calls `tool` of `skill` with a JSON object, and waits. True: `output` is JSON. False:
 * `error` says why in words. `tool` is NULL where the skill has only one. Whoever has to
 * tell the reasons apart calls `bailiwick_skill_skills_call` of skill.h. */
bool bailiwick_call(const char *skill, const char *tool, const skill_string_t *arguments,
                    skill_string_t *output, skill_string_t *error) BAILIWICK_NEEDS_SKILLS;

#endif
