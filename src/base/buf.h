/* SPDX-License-Identifier: MIT
 * Growable bytes with a limit. A failure sticks: append freely, ask once at the end. */
#ifndef ORAS_BASE_BUF_H
#define ORAS_BASE_BUF_H

#include "base/error.h"

typedef struct oras_buf {
    char *data;  /* NUL-terminated once anything was appended; NULL before */
    size_t size; /* without the NUL */
    size_t capacity;
    size_t limit; /* most bytes it may hold */
    enum { ORAS_BUF_OK, ORAS_BUF_MEMORY, ORAS_BUF_LIMIT } state;
} oras_buf;

#define ORAS_BUF_INIT(most)                                                                        \
    {                                                                                              \
        NULL, 0, 0, (most), ORAS_BUF_OK                                                            \
    }

void oras_buf_init(oras_buf *buf, size_t limit);
void oras_buf_dispose(oras_buf *buf);

/** Forget the bytes, keep the room; a sticky failure is forgotten too. */
void oras_buf_clear(oras_buf *buf);

/** Append; false when it failed, now or before. */
bool oras_buf_append(oras_buf *buf, const void *data, size_t size);
bool oras_buf_puts(oras_buf *buf, const char *text);
bool oras_buf_printf(oras_buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Make room for `size` more bytes at data + size; the caller writes and adds to buf->size. */
bool oras_buf_reserve(oras_buf *buf, size_t size);

/** Wipe before dispose, for buffers that held secrets. */
void oras_buf_wipe(oras_buf *buf);

/** ORAS_OK, or the sticky failure named after `what`. */
oras_code oras_buf_check(const oras_buf *buf, const char *what, oras_error *err);

/** The bytes as a C string (never NULL). */
const char *oras_buf_text(const oras_buf *buf);

#endif
