/* SPDX-License-Identifier: MIT */
#include "oci/grammar.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
    return (c >= 'a' && c <= 'z') || is_digit(c);
}

static bool is_alnum(char c)
{
    return is_lower(c) || (c >= 'A' && c <= 'Z');
}

/* Length of the separator at the start of text: '.', '_', '__' or any number of '-'. */
static size_t separator(const char *text, size_t size)
{
    size_t n = 0;

    if (size && (text[0] == '.' || text[0] == '/'))
        return 1;
    if (size && text[0] == '_')
        return size > 1 && text[1] == '_' ? 2 : 1;
    while (n < size && text[n] == '-')
        n++;
    return n;
}

bool oras_is_repository(const char *text, size_t size)
{
    size_t at = 0;

    for (;;) {
        size_t start = at;

        while (at < size && is_lower(text[at]))
            at++;
        if (at == start)
            return false;
        if (at == size)
            return true;
        start = at;
        at += separator(text + at, size - at);
        if (at == start)
            return false;
    }
}

bool oras_is_tag(const char *text, size_t size)
{
    if (size == 0 || size > 128 || text[0] == '.' || text[0] == '-')
        return false;
    for (size_t i = 0; i < size; i++) {
        if (!is_alnum(text[i]) && text[i] != '_' && text[i] != '.' && text[i] != '-')
            return false;
    }
    return true;
}

bool oras_is_host_name(const char *text, size_t size)
{
    char before = '.';

    for (size_t i = 0; i < size; i++) {
        if (!is_alnum(text[i]) && text[i] != '.' && text[i] != '-')
            return false;
        if (!is_alnum(text[i]) && before == '.')
            return false; /* an empty label, or one that begins with '-' */
        if (text[i] == '.' && before == '-')
            return false;
        before = text[i];
    }
    return size > 0 && is_alnum(before);
}

bool oras_is_image_id(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (!is_digit(text[i]) && !(text[i] >= 'a' && text[i] <= 'f'))
            return false;
    }
    return size == 64;
}
