/* SPDX-License-Identifier: MIT */
#include "oci/hide.h"

#include "base/cleanup.h"
#include "oci/base64.h"

#include <string.h>

#define MAX_BYTES ((size_t)1024 * 1024)

typedef struct needle {
    const char *data;
    size_t size;
} needle;

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Bytes at `at` that mean the byte c; 0 when it is another. */
static size_t match_byte(const char *at, size_t size, char c)
{
    if (size >= 3 && *at == '%' && hex(at[1]) >= 0 && hex(at[2]) >= 0 &&
        (char)(hex(at[1]) << 4 | hex(at[2])) == c)
        return 3;
    return size > 0 && (*at == c || (*at == '+' && c == ' ')) ? 1 : 0;
}

/* Bytes at `at` that mean the needle, or 0. */
static size_t match(const char *at, size_t size, const needle *what)
{
    size_t used = 0;

    if (what->size < ORAS_HIDE_LEAST)
        return 0;
    for (size_t i = 0; i < what->size; i++) {
        size_t step = match_byte(at + used, size - used, what->data[i]);

        if (step == 0)
            return 0;
        used += step;
    }
    return used;
}

static size_t match_any(const char *at, size_t size, const needle *needles, size_t n)
{
    size_t longest = 0;

    for (size_t i = 0; i < n; i++) {
        size_t used = match(at, size, &needles[i]);

        if (used > longest)
            longest = used;
    }
    return longest;
}

/* Without the padding of base64, which not everybody writes. */
static needle unpadded(const char *data, size_t size)
{
    while (size > 0 && data[size - 1] == '=')
        size--;
    return (needle){data, size};
}

static void dispose(oras_buf *buf)
{
    oras_buf_wipe(buf);
    oras_buf_dispose(buf);
}

static void replace(const char *text, size_t size, const needle *needles, size_t n, oras_buf *out)
{
    for (size_t at = 0; at < size;) {
        size_t used = match_any(text + at, size - at, needles, n);

        if (used)
            oras_buf_puts(out, "***");
        else
            oras_buf_append(out, text + at, 1);
        at += used ? used : 1;
    }
}

void oras_hide(const char *text, size_t size, const char *secret, oras_buf *out)
{
    _cleanup_(dispose) oras_buf plain = ORAS_BUF_INIT(MAX_BYTES);
    _cleanup_(dispose) oras_buf coded = ORAS_BUF_INIT(MAX_BYTES);
    needle needles[4];
    size_t n = 0;
    const char *blank = strchr(secret, ' '), *colon;
    oras_error ignored = ORAS_ERROR_INIT;

    needles[n++] = unpadded(secret, strlen(secret));
    if (blank)
        needles[n++] = unpadded(blank + 1, strlen(blank + 1));
    if (blank && strncmp(secret, "Basic ", 6) == 0 &&
        !oras_base64_decode(blank + 1, strlen(blank + 1), &plain, &ignored) &&
        (colon = memchr(oras_buf_text(&plain), ':', plain.size))) {
        size_t n_password = plain.size - (size_t)(colon + 1 - plain.data);

        needles[n++] = (needle){colon + 1, n_password};
        if (oras_base64_encode(colon + 1, n_password, &coded))
            needles[n++] = unpadded(oras_buf_text(&coded), coded.size);
    }
    replace(text, size, needles, n, out);
}
