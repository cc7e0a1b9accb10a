/* SPDX-License-Identifier: MIT
 * Errors are plain structs on the caller's stack: nothing to free, usable when memory is
 * gone, safe when Lua unwinds over them. */
#define _GNU_SOURCE
#include "base/error.h"

#include <stdio.h>
#include <string.h>

/* indexed by oras_class */
static const struct {
    const char *name;
    oras_code code;
} classes[] = {
    {"usage", ORAS_EINVALID},   {"auth", ORAS_EAUTH},
    {"denied", ORAS_EAUTH},     {"not_found", ORAS_ENOTFOUND},
    {"rate", ORAS_EHTTP},       {"server", ORAS_EHTTP},
    {"network", ORAS_ENETWORK}, {"timeout", ORAS_ENETWORK},
    {"tls", ORAS_ENETWORK},     {"protocol", ORAS_EHTTP},
    {"redirect", ORAS_EHTTP},   {"integrity", ORAS_EDIGEST},
    {"content", ORAS_EINVALID}, {"limit", ORAS_EINVALID},
    {"path", ORAS_EINVALID},    {"exists", ORAS_EINVALID},
    {"io", ORAS_EIO},           {"config", ORAS_EINVALID},
    {"helper", ORAS_EAUTH},     {"cancelled", ORAS_ECANCELED},
    {"memory", ORAS_ENOMEM},    {"script", ORAS_ESCRIPT},
    {"sandbox", ORAS_ESCRIPT},  {"unsupported", ORAS_EINVALID},
    {"block", ORAS_EBLOCK},
};

#define N_CLASSES (sizeof classes / sizeof classes[0])

const char *oras_class_name(oras_class class)
{
    return classes[class].name;
}

oras_code oras_class_code(oras_class class)
{
    return classes[class].code;
}

bool oras_class_find(const char *name, oras_class *out)
{
    for (size_t i = 0; i < N_CLASSES; i++) {
        if (strcmp(classes[i].name, name) == 0) {
            *out = (oras_class)i;
            return true;
        }
    }
    return false;
}

const char *oras_errno_text(int number, char *buf, size_t size)
{
    const char *text = strerrordesc_np(number);

    if (text)
        snprintf(buf, size, "%s", text);
    else
        snprintf(buf, size, "error %d", number);
    return buf;
}

/* A message is one line: whatever a name brought along must not break it. */
static void flatten(char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
    }
}

static __attribute__((format(printf, 3, 0))) void fill(oras_error *err, oras_class class,
                                                       const char *format, va_list args)
{
    memset(err, 0, sizeof *err);
    err->code = classes[class].code;
    err->class_name = classes[class].name;
    vsnprintf(err->message, sizeof err->message, format, args);
    flatten(err->message);
}

oras_code oras_fail(oras_error *err, oras_class class, const char *format, ...)
{
    if (err) {
        va_list args;

        va_start(args, format);
        fill(err, class, format, args);
        va_end(args);
    }
    return classes[class].code;
}

oras_code oras_fail_errno(oras_error *err, int number, const char *format, ...)
{
    if (err) {
        va_list args;
        char text[128];
        size_t used;

        va_start(args, format);
        fill(err, ORAS_C_IO, format, args);
        va_end(args);
        err->native = number;
        used = strlen(err->message);
        snprintf(err->message + used, sizeof err->message - used, ": %s",
                 oras_errno_text(number, text, sizeof text));
    }
    return ORAS_EIO;
}

oras_code oras_fail_memory(oras_error *err)
{
    return oras_fail(err, ORAS_C_MEMORY, "out of memory");
}

oras_code oras_error_wrap(oras_error *err, oras_code code, const char *format, ...)
{
    char inner[sizeof err->message];
    va_list args;
    size_t used;

    if (!err)
        return code;
    memcpy(inner, err->message, sizeof inner);
    va_start(args, format);
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    flatten(err->message);
    used = strlen(err->message);
    snprintf(err->message + used, sizeof err->message - used, ": %s", inner);
    return err->code;
}
