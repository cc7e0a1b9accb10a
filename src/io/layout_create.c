/* SPDX-License-Identifier: MIT
 * A layout that is made: oci-layout first and as a whole, so that a directory with anything else
 * in it, but without that file, was never one of ours. No lock is needed, as nothing that stands
 * is replaced, and none could be taken before the marker is there. */
#define _GNU_SOURCE
#include "base/cleanup.h"
#include "io/layout_internal.h"
#include "io/partial.h"
#include "io/root.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define INDEX_TEXT                                                                                 \
    "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\","              \
    "\"manifests\":[]}"

/* --- what lies in a directory --------------------------------------------------------------- */

static bool is_one_of(const char *name, const char *const *names)
{
    while (*names) {
        if (strcmp(name, *names++) == 0)
            return true;
    }
    return false;
}

static bool is_partial(const char *name)
{
    return strncmp(name, ORAS_PARTIAL_PREFIX, strlen(ORAS_PARTIAL_PREFIX)) == 0;
}

/* What lies in a directory beside temporaries and directories of those names, whose own content
 * is judged by `below` (NULL: nothing may be in it but temporaries). */
typedef struct level {
    const char *const *names;
    const struct level *below;
} level;

static const char *const no_names[] = {NULL};
static const char *const algorithms[] = {"sha256", "sha512", NULL};
static const char *const blobs[] = {ORAS_LAYOUT_BLOBS, NULL};
static const level in_algorithm = {no_names, NULL};
static const level in_blobs = {algorithms, &in_algorithm};
static const level in_root = {blobs, &in_blobs};

static oras_code list(int dir, const char *name, DIR **out, oras_error *err)
{
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    int number = errno;

    *out = stream;
    if (stream)
        return ORAS_OK;
    oras_close_fd(&fd);
    return oras_fail_errno(err, number, "cannot list '%s'", name);
}

/* Not a directory, a link for one: foreign as any other name. */
static bool is_directory(int dir, const char *name)
{
    struct stat st;

    return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

/* Three levels deep, as `here` says. */
static oras_code find_foreign(int dir, const char *name, const level *here, char foreign[64],
                              oras_error *err)
{
    const struct dirent *entry;
    DIR *stream;
    oras_code code = list(dir, name, &stream, err);

    while (!code && !*foreign && (entry = readdir(stream))) {
        const char *found = entry->d_name;

        if (strcmp(found, ".") == 0 || strcmp(found, "..") == 0 || is_partial(found))
            continue;
        if (is_one_of(found, here->names) && is_directory(dirfd(stream), found))
            code = find_foreign(dirfd(stream), found, here->below, foreign, err);
        else
            snprintf(foreign, 64, "%.60s", found);
    }
    if (stream)
        closedir(stream);
    return code;
}

static bool is_marked(int root)
{
    struct stat st;

    return fstatat(root, ORAS_LAYOUT_MARKER, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* The marker is looked for last: who made what was found had written it before. */
oras_code oras_layout_look(int root, oras_layout_state *state, char foreign[64], oras_error *err)
{
    oras_code code;

    *foreign = '\0';
    code = find_foreign(root, ".", &in_root, foreign, err);
    if (code)
        return code;
    *state = is_marked(root) ? ORAS_LAYOUT_IS_MARKED
             : *foreign      ? ORAS_LAYOUT_IS_FOREIGN
                             : ORAS_LAYOUT_IS_FREE;
    return ORAS_OK;
}

/* --- create --------------------------------------------------------------------------------- */

/* Nobody's directory becomes a layout by mistake. */
static oras_code check_is_free(int root, oras_error *err)
{
    oras_layout_state state;
    char foreign[64];
    oras_code code;

    if (is_marked(root))
        return ORAS_OK;
    code = oras_layout_look(root, &state, foreign, err);
    if (code || state != ORAS_LAYOUT_IS_FOREIGN)
        return code;
    return oras_fail(err, ORAS_C_CONTENT, "it is no image layout and not empty: it has '%s'",
                     foreign);
}

static oras_code make_file(int root, const char *name, const char *text, mode_t umask,
                           oras_error *err)
{
    static const oras_file_target how = {.durable = true};
    oras_error cause = ORAS_ERROR_INIT;
    struct stat st;
    oras_code code;

    if (fstatat(root, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return ORAS_OK;
    code = oras_layout_write_file(root, name, text, strlen(text), umask, &how, &cause);
    if (code && strcmp(cause.class_name, oras_class_name(ORAS_C_EXISTS)) == 0)
        return ORAS_OK; /* another process was faster */
    if (code && err)
        *err = cause;
    return code;
}

static oras_code fill(int root, mode_t umask, oras_error *err)
{
    _cleanup_(oras_close_fd) int dir = -1;
    oras_code code = check_is_free(root, err);

    if (!code)
        code = make_file(root, ORAS_LAYOUT_MARKER, ORAS_LAYOUT_MARKER_TEXT, umask, err);
    if (!code)
        code = oras_root_dir(root, ORAS_LAYOUT_BLOBS "/sha256", true, &dir, err);
    if (!code)
        code = make_file(root, ORAS_LAYOUT_INDEX, INDEX_TEXT, umask, err);
    return code;
}

oras_code oras_layout_create(const char *path, mode_t umask, oras_error *err)
{
    _cleanup_(oras_close_fd) int root = -1;
    oras_code code = oras_root_make(path, &root, err);

    if (code)
        return code;
    code = fill(root, umask, err);
    return code ? oras_error_wrap(err, code, "layout '%s'", path) : ORAS_OK;
}
