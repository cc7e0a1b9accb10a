/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "io/walk_names.h"

#include "base/alloc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One reading of a directory. */
typedef struct scan {
    oras_names *names;
    const char *after;
    size_t most;
    char before[NAME_MAX + 1]; /* names from this one on do not fit any more; "": all do */
} scan;

void oras_names_dispose(oras_names *names)
{
    oras_buf_dispose(&names->bytes);
    oras_dealloc(names->list);
    memset(names, 0, sizeof *names);
}

size_t oras_names_size(const oras_names *names)
{
    return names->bytes.capacity + (names->list ? names->n * sizeof *names->list : 0);
}

const oras_name *oras_names_next(oras_names *names)
{
    return names->at < names->n ? names->list[names->at++] : NULL;
}

static int by_text(const void *a, const void *b)
{
    const oras_name *const *x = a, *const *y = b;

    return strcmp((*x)->text, (*y)->text);
}

static int by_place(const void *a, const void *b)
{
    const oras_name *const *x = a, *const *y = b;

    return *x < *y ? -1 : *x > *y;
}

static size_t record_size(const oras_name *name)
{
    return sizeof *name + strlen(name->text) + 1;
}

/* The records as a sorted list. */
static oras_code sort(oras_names *names, oras_error *err)
{
    const char *at = names->bytes.data;

    names->list = oras_alloc(names->n * sizeof *names->list + 1);
    if (!names->list)
        return oras_fail_memory(err);
    for (size_t i = 0; i < names->n; i++) {
        names->list[i] = (const oras_name *)at;
        at += record_size(names->list[i]);
    }
    qsort(names->list, names->n, sizeof *names->list, by_text);
    return ORAS_OK;
}

/* Keep the first half: the others are read again when it is used up. */
static oras_code halve(scan *at, oras_error *err)
{
    oras_names *names = at->names;
    oras_code code = sort(names, err);
    char *to = names->bytes.data;

    if (code)
        return code;
    names->n /= 2;
    memcpy(at->before, names->list[names->n]->text, strlen(names->list[names->n]->text) + 1);
    qsort(names->list, names->n, sizeof *names->list, by_place);
    for (size_t i = 0; i < names->n; i++) {
        size_t size = record_size(names->list[i]);

        memmove(to, names->list[i], size);
        to += size;
    }
    names->bytes.size = (size_t)(to - names->bytes.data);
    names->complete = false;
    oras_dealloc(names->list);
    names->list = NULL;
    return ORAS_OK;
}

static bool is_wanted(const scan *at, const char *name)
{
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return false;
    if (at->after[0] && strcmp(name, at->after) <= 0)
        return false;
    return !at->before[0] || strcmp(name, at->before) < 0;
}

static oras_code take(scan *at, const struct dirent *entry, oras_error *err)
{
    oras_names *names = at->names;
    const char type = (char)entry->d_type;

    if (!is_wanted(at, entry->d_name))
        return ORAS_OK;
    if (names->n > 1 && names->bytes.size + names->n * sizeof *names->list > at->most) {
        oras_code code = halve(at, err);

        if (code || !is_wanted(at, entry->d_name))
            return code;
    }
    oras_buf_append(&names->bytes, &type, 1);
    oras_buf_append(&names->bytes, entry->d_name, strlen(entry->d_name) + 1);
    names->n++;
    return oras_buf_check(&names->bytes, "the names in a directory", err);
}

static oras_code read_all(scan *at, DIR *stream, atomic_bool *stop, const char *shown,
                          oras_error *err)
{
    oras_code code = ORAS_OK;

    rewinddir(stream);
    while (!code) {
        const struct dirent *entry;

        if (atomic_load_explicit(stop, memory_order_relaxed))
            return oras_fail(err, ORAS_C_CANCELLED, "cancelled");
        errno = 0;
        entry = readdir(stream);
        if (!entry && errno)
            return oras_fail_errno(err, errno, "directory '%s'", shown);
        if (!entry)
            break;
        code = take(at, entry, err);
    }
    return code;
}

oras_code oras_names_read(oras_names *names, int dir, const char *after, size_t most,
                          atomic_bool *stop, const char *shown, oras_error *err)
{
    scan at = {.names = names, .after = after, .most = most};
    int copy = fcntl(dir, F_DUPFD_CLOEXEC, 0);
    DIR *stream = copy < 0 ? NULL : fdopendir(copy);
    oras_code code;

    if (!stream) {
        code = oras_fail_errno(err, errno, "directory '%s'", shown);
        if (copy >= 0)
            close(copy);
        return code;
    }
    oras_names_dispose(names);
    oras_buf_init(&names->bytes, SIZE_MAX - 1);
    names->complete = true;
    code = read_all(&at, stream, stop, shown, err);
    closedir(stream);
    return code ? code : sort(names, err);
}
