/* What every world with a string has, so that the library can be tested on this machine. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct skill_string_t {
    uint8_t *ptr;
    size_t len;
} skill_string_t;
