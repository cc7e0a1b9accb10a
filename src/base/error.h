/* SPDX-License-Identifier: MIT
 * Fill, wrap and name an oras_error. */
#ifndef ORAS_BASE_ERROR_H
#define ORAS_BASE_ERROR_H

#include <oras.h>

#include <stdarg.h>
#include <stdbool.h>

/** The error classes of the Lua API; the order is that of the table in error.c. */
typedef enum oras_class {
    ORAS_C_USAGE,
    ORAS_C_AUTH,
    ORAS_C_DENIED,
    ORAS_C_NOT_FOUND,
    ORAS_C_RATE,
    ORAS_C_SERVER,
    ORAS_C_NETWORK,
    ORAS_C_TIMEOUT,
    ORAS_C_TLS,
    ORAS_C_PROTOCOL,
    ORAS_C_REDIRECT,
    ORAS_C_INTEGRITY,
    ORAS_C_CONTENT,
    ORAS_C_LIMIT,
    ORAS_C_PATH,
    ORAS_C_EXISTS,
    ORAS_C_IO,
    ORAS_C_CONFIG,
    ORAS_C_HELPER,
    ORAS_C_CANCELLED,
    ORAS_C_MEMORY,
    ORAS_C_SCRIPT,
    ORAS_C_SANDBOX,
    ORAS_C_UNSUPPORTED,
    ORAS_C_BLOCK
} oras_class;

/** Fill *err (which may be NULL) and give the class's code. The message is one line, lower
 * case, no full stop, and names the thing and what was expected. */
oras_code oras_fail(oras_error *err, oras_class class, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** As oras_fail, for class io, with errno's words behind the message. */
oras_code oras_fail_errno(oras_error *err, int number, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** The answer to a failed allocation. */
oras_code oras_fail_memory(oras_error *err);

/** Put "context: " before the message; gives err->code (or `code` when err is NULL). */
oras_code oras_error_wrap(oras_error *err, oras_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Name of a class, code of a class, class of a name (false if there is none). */
const char *oras_class_name(oras_class class);
oras_code oras_class_code(oras_class class);
bool oras_class_find(const char *name, oras_class *out);

/** errno in words, into buf; thread-safe, "C" locale words. Gives buf. */
const char *oras_errno_text(int number, char *buf, size_t size);

#endif
