/* Prompts for reviewing a text. */
#include "bailiwick.h"

/* The names that skill.h has for these are long, because they name the interface too. */
typedef exports_bailiwick_skill_prompts_prompt_t prompt;
typedef exports_bailiwick_skill_prompts_argument_t argument;
typedef exports_bailiwick_skill_prompts_message_t message;
typedef exports_bailiwick_skill_prompts_content_t content;
typedef exports_bailiwick_skill_prompts_error_t error;
typedef skill_list_tuple2_string_string_t arguments;

static skill_string_t copy(const char *text) {
    skill_string_t made;
    skill_string_dup(&made, text);
    return made;
}

static argument make_argument(const char *name, const char *description, bool required) {
    return (argument){
        .name = copy(name),
        .description = {.is_some = true, .val = copy(description)},
        .required = required,
    };
}

static prompt make_prompt(const char *name, const char *description, argument *arguments, size_t count) {
    return (prompt){
        .name = copy(name),
        .description = {.is_some = true, .val = copy(description)},
        .arguments = {arguments, count},
    };
}

bool exports_bailiwick_skill_prompts_list(exports_bailiwick_skill_prompts_list_prompt_t *ret, skill_string_t *err) {
    argument *review = bailiwick_alloc(3 * sizeof *review);
    review[0] = make_argument("text", "The text to review.", true);
    review[1] = make_argument("audience", "Who reads it, such as `new customers`.", false);
    review[2] = make_argument("focus", "What matters most, such as `brevity`.", false);
    argument *compare = bailiwick_alloc(2 * sizeof *compare);
    compare[0] = make_argument("before", "The older version.", true);
    compare[1] = make_argument("after", "The newer version.", true);

    ret->len = 2;
    ret->ptr = bailiwick_alloc(ret->len * sizeof *ret->ptr);
    ret->ptr[0] = make_prompt("review", "Begins a review of a text.", review, 3);
    ret->ptr[1] = make_prompt("compare", "Begins a comparison of two versions of a text.", compare, 2);
    return true;
}

/* The argument as text for printf, or NULL where it was left out. */
static char *value(const arguments *given, const char *name) {
    for (size_t i = 0; i < given->len; i++) {
        if (bailiwick_equals(&given->ptr[i].f0, name)) {
            return bailiwick_c_string(&given->ptr[i].f1);
        }
    }
    return NULL;
}

static bool missing(error *err, const char *name) {
    err->tag = EXPORTS_BAILIWICK_SKILL_PROMPTS_ERROR_INVALID_ARGUMENTS;
    return bailiwick_fail(&err->val.invalid_arguments, "there is no argument `%s`", name);
}

/* A prompt of one message, whose text is from malloc. */
static bool answer(content *ret, skill_string_t text) {
    message *only = bailiwick_alloc(sizeof *only);
    *only = (message){.role = EXPORTS_BAILIWICK_SKILL_PROMPTS_ROLE_USER, .text = text};
    *ret = (content){.description = {.is_some = false}, .messages = {only, 1}};
    return true;
}

static bool review(const arguments *given, content *ret, error *err) {
    char *text = value(given, "text"), *audience = value(given, "audience"), *focus = value(given, "focus");
    if (text == NULL) {
        return missing(err, "text");
    }
    skill_string_t task = {0};
    bailiwick_append(&task, "Review the text below.");
    if (audience != NULL) {
        bailiwick_append(&task, " It is read by %s: say what they would not understand.", audience);
    }
    if (focus != NULL) {
        bailiwick_append(&task, " What matters most is %s.", focus);
    }
    bailiwick_append(&task, " Quote each passage that you would change, and give your words for it.");
    bailiwick_append(&task, "\n\n---\n\n%s", text);
    return answer(ret, task);
}

static bool compare(const arguments *given, content *ret, error *err) {
    char *before = value(given, "before"), *after = value(given, "after");
    if (before == NULL || after == NULL) {
        return missing(err, before == NULL ? "before" : "after");
    }
    skill_string_t task;
    bailiwick_print(&task,
                    "Compare the two versions of a text below. List what changed in meaning first, then what only "
                    "reads differently, and say which version you would keep.\n\n--- before\n\n%s\n\n--- after\n\n%s",
                    before, after);
    return answer(ret, task);
}

bool exports_bailiwick_skill_prompts_get(skill_string_t *name, arguments *given, content *ret, error *err) {
    if (bailiwick_equals(name, "review")) {
        return review(given, ret, err);
    }
    if (bailiwick_equals(name, "compare")) {
        return compare(given, ret, err);
    }
    err->tag = EXPORTS_BAILIWICK_SKILL_PROMPTS_ERROR_NOT_FOUND;
    return bailiwick_fail(&err->val.not_found, "there is no prompt `%.*s`", BAILIWICK_TEXT(*name));
}
