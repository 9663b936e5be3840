/* A web page of a document in Markdown: a workflow that has another skill read it. */
#include <string.h>

#include "bailiwick.h"

#define MARKDOWN "bailiwick/markdown"

typedef exports_bailiwick_skill_workflow_error_t error;

static bool fail(error *err, skill_string_t message) {
    err->tag = EXPORTS_BAILIWICK_SKILL_WORKFLOW_ERROR_FAILED;
    err->val.failed = message;
    return false;
}

/* The text as it stands in HTML. */
static void append_escaped(skill_string_t *html, const skill_string_t *text) {
    for (size_t i = 0; i < text->len; i++) {
        switch (text->ptr[i]) {
        case '&': bailiwick_append(html, "&amp;"); break;
        case '<': bailiwick_append(html, "&lt;"); break;
        case '>': bailiwick_append(html, "&gt;"); break;
        case '"': bailiwick_append(html, "&quot;"); break;
        default: bailiwick_append(html, "%c", text->ptr[i]);
        }
    }
}

static bool is_blank(const skill_string_t *text) {
    for (size_t i = 0; i < text->len; i++) {
        if (strchr(" \t\r\n", text->ptr[i]) == NULL) {
            return false;
        }
    }
    return true;
}

/* What the skill for Markdown makes of the document: its headings and its HTML, as JSON. */
static bool read(const skill_string_t *markdown, skill_string_t *headings, skill_string_t *html, error *err) {
    bailiwick_json json = {0};
    bailiwick_json_begin_object(&json);
    bailiwick_json_key(&json, "markdown");
    bailiwick_json_string(&json, markdown);
    bailiwick_json_end_object(&json);
    skill_string_t arguments = bailiwick_json_take(&json), message;
    if (!bailiwick_call(MARKDOWN, "outline", &arguments, headings, &message)) {
        return fail(err, message);
    }
    bailiwick_json_begin_object(&json);
    bailiwick_json_key(&json, "markdown");
    bailiwick_json_string(&json, markdown);
    bailiwick_json_key(&json, "heading-ids");
    bailiwick_json_boolean(&json, true);
    bailiwick_json_end_object(&json);
    arguments = bailiwick_json_take(&json);
    skill_string_t quoted;
    if (!bailiwick_call(MARKDOWN, "to-html", &arguments, &quoted, &message)) {
        return fail(err, message);
    }
    bailiwick_json_read_string(&quoted, html);
    return true;
}

/* A line of the table of contents. */
static void append_entry(skill_string_t *contents, const skill_string_t *heading) {
    skill_string_t value, text, anchor;
    int64_t level;
    if (!bailiwick_json_get(heading, "level", &value) || !bailiwick_json_read_integer(&value, &level) ||
        !bailiwick_json_get(heading, "text", &value) || !bailiwick_json_read_string(&value, &text) ||
        !bailiwick_json_get(heading, "anchor", &value) || !bailiwick_json_read_string(&value, &anchor)) {
        bailiwick_panic(MARKDOWN " gave a heading without level, text or anchor");
    }
    bailiwick_append(contents, "%*s<a href=\"#", (int)level * 2, "");
    append_escaped(contents, &anchor);
    bailiwick_append(contents, "\">");
    append_escaped(contents, &text);
    bailiwick_append(contents, "</a><br>\n");
}

/* The title that was asked for, or else the first heading, or nothing. */
static skill_string_t title_of(const skill_string_t *input, const skill_string_t *headings) {
    skill_string_t value, title = {0};
    size_t cursor = 0;
    if (bailiwick_json_get(input, "title", &value) && bailiwick_json_read_string(&value, &title)) {
        return title;
    }
    if (bailiwick_json_next(headings, &cursor, &value) && bailiwick_json_get(&value, "text", &value)) {
        bailiwick_json_read_string(&value, &title);
    }
    return title;
}

bool exports_bailiwick_skill_workflow_run(skill_string_t *input, skill_string_t *ret, error *err) {
    skill_string_t value, markdown;
    if (!bailiwick_json_get(input, "markdown", &value) || !bailiwick_json_read_string(&value, &markdown)) {
        err->tag = EXPORTS_BAILIWICK_SKILL_WORKFLOW_ERROR_INVALID_INPUT;
        return bailiwick_fail(&err->val.invalid_input, "`markdown` is missing, or no text");
    }
    bailiwick_progress(0, 2, "reading the document");
    skill_string_t headings = bailiwick_borrow("[]"), body = {0};
    if (!is_blank(&markdown) && !read(&markdown, &headings, &body, err)) {
        return false;
    }

    bailiwick_progress(1, 2, "writing the page");
    skill_string_t html = {0}, title = title_of(input, &headings);
    bailiwick_append(&html, "<!doctype html>\n<meta charset=\"utf-8\">\n<title>");
    append_escaped(&html, &title);
    bailiwick_append(&html, "</title>\n<nav>\n");
    int64_t count = 0;
    for (size_t cursor = 0; bailiwick_json_next(&headings, &cursor, &value); count++) {
        append_entry(&html, &value);
    }
    bailiwick_append(&html, "</nav>\n");
    bailiwick_append_string(&html, &body);
    bailiwick_info("%lld headings", (long long)count);

    bailiwick_json json = {0};
    bailiwick_json_begin_object(&json);
    bailiwick_json_key(&json, "html");
    bailiwick_json_string(&json, &html);
    bailiwick_json_key(&json, "headings");
    bailiwick_json_integer(&json, count);
    bailiwick_json_end_object(&json);
    *ret = bailiwick_json_take(&json);
    return true;
}
