/* SPDX-License-Identifier: MIT */
#include "io/entry_name.h"

#include <string.h>

#define SHOWN 200 /* bytes of a name in a message */

static int shown(size_t size)
{
    return size < SHOWN ? (int)size : SHOWN;
}

static bool is_dot(const char *part, size_t size)
{
    return size == 1 && part[0] == '.';
}

static bool is_dot_dot(const char *part, size_t size)
{
    return size == 2 && part[0] == '.' && part[1] == '.';
}

static oras_code refuse_whole(const char *name, size_t size, oras_error *err)
{
    if (size == 0)
        return oras_fail(err, ORAS_C_PATH, "an archive entry has an empty name");
    if (memchr(name, '\0', size))
        return oras_fail(err, ORAS_C_PATH, "archive entry '%.*s' has a NUL byte in its name",
                         shown(size), name);
    if (name[0] == '/')
        return oras_fail(err, ORAS_C_PATH,
                         "archive entry '%.*s' has an absolute name, expected a relative one",
                         shown(size), name);
    return ORAS_OK;
}

static void append_part(const char *part, size_t size, oras_buf *out)
{
    if (out->size)
        oras_buf_append(out, "/", 1);
    oras_buf_append(out, part, size);
}

static oras_code check_part(const char *name, size_t size, size_t part_size, int depth,
                            int max_depth, oras_error *err)
{
    if (part_size > ORAS_ENTRY_COMPONENT_MAX)
        return oras_fail(err, ORAS_C_LIMIT,
                         "archive entry '%.*s' has a component of %zu bytes, the limit is %d",
                         shown(size), name, part_size, ORAS_ENTRY_COMPONENT_MAX);
    if (depth > max_depth)
        return oras_fail(err, ORAS_C_LIMIT,
                         "archive entry '%.*s' is nested deeper than the limit of %d", shown(size),
                         name, max_depth);
    return ORAS_OK;
}

oras_code oras_entry_name_clean(const char *name, size_t size, int max_depth, oras_buf *out,
                                oras_error *err)
{
    oras_code code = refuse_whole(name, size, err);
    size_t start = 0;
    int depth = 0;

    oras_buf_clear(out);
    while (!code && start < size) {
        const char *part = name + start;
        const char *slash = memchr(part, '/', size - start);
        size_t n = slash ? (size_t)(slash - part) : size - start;

        start += n + 1;
        if (n == 0 || is_dot(part, n))
            continue;
        if (is_dot_dot(part, n))
            return oras_fail(err, ORAS_C_PATH, "archive entry '%.*s' leaves the archive by '..'",
                             shown(size), name);
        code = check_part(name, size, n, ++depth, max_depth, err);
        append_part(part, n, out);
    }
    if (code)
        return code;
    if (out->size == 0)
        oras_buf_append(out, ".", 1);
    return oras_buf_check(out, "the name of an archive entry", err);
}
