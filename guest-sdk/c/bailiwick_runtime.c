/* Last words. In WebAssembly abort() is a bare trap; here it says on stderr what
 * happened, which the host shows beside the trap.
 *
 * They go out by WASI's own functions and not through stdio, so that a skill which
 * prints nothing doesn't import files, clocks and terminals for them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wasi/wasip2.h>

#include "bailiwick.h"

/* As much as one write of WASI takes. */
#define MOST 4096

static void say(const char *words, size_t length) {
    wasip2_list_u8_t bytes = {(uint8_t *)words, length < MOST ? length : MOST};
    stderr_own_output_stream_t out = stderr_get_stderr();
    streams_stream_error_t error;
    streams_method_output_stream_blocking_write_and_flush(streams_borrow_output_stream(out), &bytes, &error);
}

_Noreturn void bailiwick_panic(const char *message) {
    say(message, strlen(message));
    say("\n", 1);
    __builtin_trap();
}

_Noreturn void abort(void) {
    bailiwick_panic("abort() was called");
}

static void append(char *to, const char *text) {
    size_t used = strlen(to);
    strncat(to, text, MOST - 1 - used);
}

/* What the macro assert() calls. */
_Noreturn void __assert_fail(const char *expression, const char *file, int line, const char *function) {
    static char words[MOST];
    char digits[12];
    char *digit = digits + sizeof digits - 1;
    *digit = '\0';
    do {
        *--digit = (char)('0' + line % 10);
        line /= 10;
    } while (line > 0);
    append(words, file);
    append(words, ":");
    append(words, digit);
    append(words, ": ");
    append(words, function);
    append(words, ": assertion failed: ");
    append(words, expression);
    bailiwick_panic(words);
}

/* An instance is gone after its call, and with it what stdio has not written yet, so
 * that stdout is written line by line. The reference is weak: it doesn't bring stdio
 * into a skill that has none. The macro would hide the variable. */
#undef stdout
#pragma weak stdout

__attribute__((constructor)) static void write_lines(void) {
    if (&stdout != NULL) {
        setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    }
}
