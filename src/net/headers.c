/* SPDX-License-Identifier: MIT */
#include "net/headers.h"

#include <string.h>
#include <strings.h>

void oras_headers_init(oras_headers *headers)
{
    oras_buf_init(&headers->text, ORAS_HEADERS_MAX);
    headers->n_fields = 0;
}

void oras_headers_dispose(oras_headers *headers)
{
    oras_buf_dispose(&headers->text);
    headers->n_fields = 0;
}

void oras_headers_clear(oras_headers *headers)
{
    oras_buf_clear(&headers->text);
    headers->n_fields = 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void trim(const char **text, size_t *size)
{
    while (*size && (is_blank((*text)[*size - 1]) || (*text)[*size - 1] == '\r' ||
                     (*text)[*size - 1] == '\n'))
        (*size)--;
    while (*size && is_blank(**text)) {
        (*text)++;
        (*size)--;
    }
}

static bool has_control(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (((unsigned char)text[i] < 0x20 && text[i] != '\t') || text[i] == 0x7f)
            return true;
    }
    return false;
}

/* obs-fold (RFC 9112, 5.2): the line goes on with the value before it, after one blank. */
static void append_folded(oras_buf *text, const char *value, size_t size)
{
    if (text->size == 0)
        return;
    text->size--;
    oras_buf_append(text, " ", 1);
    oras_buf_append(text, value, size);
    oras_buf_append(text, "", 1);
}

oras_code oras_headers_add_line(oras_headers *headers, const char *line, size_t size,
                                oras_error *err)
{
    bool folded = size > 0 && is_blank(line[0]);
    const char *value = line, *colon = NULL;

    trim(&value, &size);
    if (has_control(value, size))
        return oras_fail(err, ORAS_C_PROTOCOL, "response header has a control character");
    if (folded) {
        append_folded(&headers->text, value, size);
        return oras_buf_check(&headers->text, "response header", err);
    }
    colon = memchr(value, ':', size);
    if (!colon || colon == value)
        return oras_fail(err, ORAS_C_PROTOCOL, "response header line has no name");
    oras_buf_append(&headers->text, value, (size_t)(colon - value));
    oras_buf_append(&headers->text, "", 1);
    size -= (size_t)(colon + 1 - value);
    value = colon + 1;
    trim(&value, &size);
    oras_buf_append(&headers->text, value, size);
    oras_buf_append(&headers->text, "", 1);
    headers->n_fields++;
    return oras_buf_check(&headers->text, "response header", err);
}

bool oras_headers_next(const oras_headers *headers, size_t *at, const char **name,
                       const char **value)
{
    if (*at >= headers->text.size)
        return false;
    *name = headers->text.data + *at;
    *value = *name + strlen(*name) + 1;
    *at = (size_t)(*value - headers->text.data) + strlen(*value) + 1;
    return true;
}

const char *oras_headers_get(const oras_headers *headers, const char *name)
{
    const char *field, *value;
    size_t at = 0;

    while (oras_headers_next(headers, &at, &field, &value)) {
        if (strcasecmp(field, name) == 0)
            return value;
    }
    return NULL;
}
