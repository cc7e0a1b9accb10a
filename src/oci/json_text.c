/* SPDX-License-Identifier: MIT */
#include "oci/json_text.h"

#include "oci/utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void write_escape(oras_buf *out, unsigned char c)
{
    static const char letters[] = "btn\0fr"; /* 0x08 to 0x0d */

    if (c == '"' || c == '\\')
        oras_buf_printf(out, "\\%c", c);
    else if (c >= 0x08 && c <= 0x0d && letters[c - 0x08])
        oras_buf_printf(out, "\\%c", letters[c - 0x08]);
    else
        oras_buf_printf(out, "\\u%04x", c);
}

bool oras_json_append_string(const char *text, size_t size, oras_buf *out)
{
    size_t start = 0;

    if (!oras_utf8_is_valid(text, size))
        return false;
    oras_buf_append(out, "\"", 1);
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        oras_buf_append(out, text + start, i - start);
        write_escape(out, c);
        start = i + 1;
    }
    oras_buf_append(out, text + start, size - start);
    oras_buf_append(out, "\"", 1);
    return true;
}

/* The shortest digits that read back as the same number. */
static void print_shortest(double value, char *text, size_t size)
{
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, size, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            return;
    }
}

bool oras_json_append_float(double value, oras_buf *out)
{
    char text[48];
    size_t size = 0;
    bool whole = true;

    if (!isfinite(value))
        return false;
    print_shortest(value, text, sizeof text);
    for (const char *c = text; *c; c++) {
        bool is_number = strchr("0123456789+-e", *c) != NULL;

        whole = whole && is_number && *c != 'e';
        if (is_number)
            text[size++] = *c;
        else if (text[size - 1] != '.') /* the locale's decimal point, whatever it looks like */
            text[size++] = '.';
    }
    oras_buf_append(out, text, size);
    if (whole)
        oras_buf_puts(out, ".0");
    return true;
}
