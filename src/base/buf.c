/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "base/buf.h"

#include "base/alloc.h"

#include <stdio.h>
#include <string.h>

#define LEAST 256

void oras_buf_init(oras_buf *buf, size_t limit)
{
    *buf = (oras_buf)ORAS_BUF_INIT(limit);
}

void oras_buf_dispose(oras_buf *buf)
{
    size_t limit = buf->limit;

    oras_dealloc(buf->data);
    oras_buf_init(buf, limit);
}

void oras_buf_clear(oras_buf *buf)
{
    buf->size = 0;
    buf->state = ORAS_BUF_OK;
    if (buf->data)
        buf->data[0] = '\0';
}

void oras_buf_wipe(oras_buf *buf)
{
    if (buf->data)
        explicit_bzero(buf->data, buf->capacity);
}

static bool fail(oras_buf *buf, int state)
{
    buf->state = (state == ORAS_BUF_LIMIT) ? ORAS_BUF_LIMIT : ORAS_BUF_MEMORY;
    return false;
}

/* By half, so that a byte is moved a few times at most; but not beyond the limit and its NUL. */
static size_t grown(const oras_buf *buf, size_t need)
{
    size_t capacity = buf->capacity + buf->capacity / 2;

    if (capacity < LEAST)
        capacity = LEAST;
    if (capacity - 1 > buf->limit)
        capacity = buf->limit + 1;
    return capacity < need ? need : capacity;
}

bool oras_buf_reserve(oras_buf *buf, size_t size)
{
    size_t need;
    char *data;

    if (buf->state != ORAS_BUF_OK)
        return false;
    if (!oras_size_add(buf->size, size, &need) || need > buf->limit)
        return fail(buf, ORAS_BUF_LIMIT);
    if (!oras_size_add(need, 1, &need))
        return fail(buf, ORAS_BUF_MEMORY);
    if (need <= buf->capacity)
        return true;
    need = grown(buf, need);
    data = oras_realloc(buf->data, need);
    if (!data)
        return fail(buf, ORAS_BUF_MEMORY);
    buf->data = data;
    buf->capacity = need;
    return true;
}

bool oras_buf_append(oras_buf *buf, const void *data, size_t size)
{
    if (!oras_buf_reserve(buf, size))
        return false;
    if (size)
        memcpy(buf->data + buf->size, data, size);
    buf->size += size;
    buf->data[buf->size] = '\0';
    return true;
}

bool oras_buf_puts(oras_buf *buf, const char *text)
{
    return oras_buf_append(buf, text, strlen(text));
}

bool oras_buf_printf(oras_buf *buf, const char *format, ...)
{
    va_list args;
    int size;

    va_start(args, format);
    size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (size < 0 || !oras_buf_reserve(buf, (size_t)size))
        return false;
    va_start(args, format);
    vsnprintf(buf->data + buf->size, (size_t)size + 1, format, args);
    va_end(args);
    buf->size += (size_t)size;
    return true;
}

oras_code oras_buf_check(const oras_buf *buf, const char *what, oras_error *err)
{
    if (buf->state == ORAS_BUF_LIMIT)
        return oras_fail(err, ORAS_C_LIMIT, "%s is larger than %zu bytes", what, buf->limit);
    if (buf->state == ORAS_BUF_MEMORY)
        return oras_fail_memory(err);
    return ORAS_OK;
}

const char *oras_buf_text(const oras_buf *buf)
{
    return buf->data ? buf->data : "";
}
