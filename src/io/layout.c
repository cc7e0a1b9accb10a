/* SPDX-License-Identifier: MIT */
#include "base/alloc.h"
#include "base/cleanup.h"
#include "io/layout_internal.h"
#include "io/remove.h"
#include "io/root.h"
#include "oci/json.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define VERSION    "1.0.0" /* image-spec, image-layout.md, "oci-layout file" */
#define MARKER     ORAS_LAYOUT_MARKER
#define MARKER_MAX 4096

static oras_code find(const oras_layout *layout, const char *name, oras_extent *out,
                      oras_error *err)
{
    if (layout->tar)
        return oras_layout_tar_find(layout->tar, name, out, err);
    out->offset = 0;
    return oras_root_read(layout->root, name, &out->fd, &out->size, err);
}

/* At most the bytes that it has now: what stands behind them in a tar is not its own. */
static oras_code read_extent(const oras_extent *from, const char *name, oras_buf *out,
                             oras_error *err)
{
    int64_t at = 0;

    while (at < from->size) {
        char block[16384];
        int64_t left = from->size - at;
        ssize_t n =
            pread(from->fd, block, left < (int64_t)sizeof block ? (size_t)left : sizeof block,
                  (off_t)(from->offset + at));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return oras_fail_errno(err, errno, "'%s'", name);
        if (n == 0)
            break;
        if (!oras_buf_append(out, block, (size_t)n))
            break;
        at += n;
    }
    return oras_buf_check(out, name, err);
}

static oras_code read_file(const oras_layout *layout, const char *name, oras_buf *out,
                           oras_error *err)
{
    oras_extent extent;
    oras_code code = find(layout, name, &extent, err);

    if (code)
        return code;
    code = read_extent(&extent, name, out, err);
    oras_close_fd(&extent.fd);
    return code;
}

static oras_code check_version(const json_t *marker, oras_error *err)
{
    const char *version = json_string_value(json_object_get(marker, "imageLayoutVersion"));

    if (!version)
        return oras_fail(err, ORAS_C_CONTENT, "'%s' has no imageLayoutVersion", MARKER);
    if (strcmp(version, VERSION) != 0)
        return oras_fail(err, ORAS_C_CONTENT, "'%s' has version '%.40s', expected '%s'", MARKER,
                         version, VERSION);
    return ORAS_OK;
}

/* Nothing that could be one is not there; anything else is no layout. */
static oras_code explain_unmarked(int root, bool *came, oras_error *err)
{
    oras_layout_state state = ORAS_LAYOUT_IS_FOREIGN;
    char foreign[64];
    oras_code code = root < 0 ? ORAS_OK : oras_layout_look(root, &state, foreign, err);

    *came = state == ORAS_LAYOUT_IS_MARKED;
    if (code || *came)
        return code;
    return oras_fail(err, state == ORAS_LAYOUT_IS_FREE ? ORAS_C_NOT_FOUND : ORAS_C_CONTENT,
                     "no image layout: it has no file '%s'", MARKER);
}

/* Somebody may make the layout just now: the marker is the first that he writes. */
static oras_code read_marker(const oras_layout *layout, oras_buf *text, oras_error *err)
{
    oras_error cause = ORAS_ERROR_INIT;
    oras_code code = read_file(layout, MARKER, text, &cause);
    bool came = false;

    if (code == ORAS_ENOTFOUND) {
        code = explain_unmarked(layout->root, &came, err);
        return came ? read_file(layout, MARKER, text, err) : code;
    }
    if (code && err)
        *err = cause;
    return code ? oras_error_wrap(err, code, "'%s'", MARKER) : ORAS_OK;
}

static oras_code check_marker(const oras_layout *layout, oras_error *err)
{
    _cleanup_(oras_buf_dispose) oras_buf text = ORAS_BUF_INIT(MARKER_MAX);
    oras_error cause = ORAS_ERROR_INIT;
    json_t *marker;
    oras_code code = read_marker(layout, &text, err);

    if (code)
        return code;
    code = oras_json_decode(oras_buf_text(&text), text.size, 0, &marker, &cause);
    if (code) {
        if (err)
            *err = cause;
        return oras_error_wrap(err, code, "'%s'", MARKER);
    }
    code = check_version(marker, err);
    json_decref(marker);
    return code;
}

/* --- open and close ------------------------------------------------------------------------- */

oras_layout *oras_layout_new(const char *path)
{
    oras_layout *layout = oras_alloc_zero(1, sizeof *layout);

    if (!layout)
        return NULL;
    layout->root = layout->parent = -1;
    layout->path = oras_strdup(path);
    if (layout->path)
        return layout;
    oras_dealloc(layout);
    return NULL;
}

/* A directory or a regular file; never waits for anything else. */
static oras_code open_kind(oras_layout *layout, oras_error *err)
{
    _cleanup_(oras_close_fd) int fd =
        open(layout->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;

    if (fd < 0 && errno == ENOENT)
        return oras_fail(err, ORAS_C_NOT_FOUND, "it does not exist");
    if (fd < 0 && errno != ENXIO)
        return oras_fail_errno(err, errno, "cannot open it");
    if (fd < 0 || fstat(fd, &st) != 0 || (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode)))
        return oras_fail(err, ORAS_C_PATH, "it is neither a directory nor a tar");
    layout->device = st.st_dev;
    layout->inode = st.st_ino;
    if (S_ISREG(st.st_mode))
        return oras_layout_tar_open(oras_steal_fd(&fd), &layout->tar, err);
    layout->root = oras_steal_fd(&fd);
    return ORAS_OK;
}

oras_code oras_layout_open(const char *path, oras_layout **out, oras_error *err)
{
    oras_layout *layout = oras_layout_new(path);
    oras_code code;

    if (!layout)
        return oras_fail_memory(err);
    code = open_kind(layout, err);
    if (!code)
        code = check_marker(layout, err);
    if (!code) {
        *out = layout;
        return ORAS_OK;
    }
    oras_layout_free(layout);
    return oras_error_wrap(err, code, "layout '%s'", path);
}

void oras_layout_free(oras_layout *layout)
{
    if (!layout)
        return;
    if (layout->staged)
        oras_remove_tree(layout->parent, layout->staged);
    oras_layout_tar_free(layout->tar);
    oras_close_fd(&layout->root);
    oras_close_fd(&layout->parent);
    oras_dealloc(layout->staged);
    oras_dealloc(layout->path);
    oras_dealloc(layout);
}

bool oras_layout_is_tar(const oras_layout *layout)
{
    return layout->tar != NULL;
}

bool oras_layout_is_current(const oras_layout *layout)
{
    struct stat named;

    return stat(layout->path, &named) == 0 && named.st_dev == layout->device &&
           named.st_ino == layout->inode;
}

/* --- what is in it -------------------------------------------------------------------------- */

oras_code oras_layout_index(oras_layout *layout, oras_buf *buf, oras_error *err)
{
    return read_file(layout, ORAS_LAYOUT_INDEX, buf, err);
}

oras_layout_name oras_layout_name_of(const oras_digest *digest)
{
    oras_layout_name name;

    snprintf(name.text, sizeof name.text, ORAS_LAYOUT_BLOBS "/%s/%s",
             oras_algorithm_name(digest->algorithm), oras_digest_encoded(digest));
    return name;
}

oras_code oras_layout_blob(oras_layout *layout, const oras_digest *digest, oras_extent *out,
                           oras_error *err)
{
    return find(layout, oras_layout_name_of(digest).text, out, err);
}

static void append_digest(oras_algorithm algorithm, const char *name, oras_buf *buf)
{
    char text[ORAS_DIGEST_TEXT_MAX];
    oras_digest digest;
    int size = snprintf(text, sizeof text, "%s:%s", oras_algorithm_name(algorithm), name);

    if (size > 0 && (size_t)size < sizeof text &&
        oras_digest_parse(text, (size_t)size, &digest, NULL) == ORAS_OK)
        oras_buf_printf(buf, "%s\n", digest.text);
}

/* The directory of an algorithm; one that is not there holds nothing. */
static oras_code list_algorithm(int blobs, oras_algorithm algorithm, oras_buf *buf, oras_error *err)
{
    const char *name = oras_algorithm_name(algorithm);
    int fd = openat(blobs, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;

    if (!stream && fd < 0 && errno == ENOENT)
        return ORAS_OK;
    if (!stream) {
        oras_close_fd(&fd);
        return oras_fail_errno(err, errno, "cannot list 'blobs/%s'", name);
    }
    while ((entry = readdir(stream)))
        append_digest(algorithm, entry->d_name, buf);
    closedir(stream);
    return oras_buf_check(buf, "list of blobs", err);
}

oras_code oras_layout_blobs(oras_layout *layout, oras_buf *buf, oras_error *err)
{
    _cleanup_(oras_close_fd) int blobs = -1;
    oras_code code;

    if (layout->tar)
        return oras_layout_tar_blobs(layout->tar, buf, err);
    blobs = openat(layout->root, "blobs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (blobs < 0 && (errno == ELOOP || errno == ENOTDIR))
        return oras_fail(err, ORAS_C_PATH, "'blobs' is no directory of its own");
    if (blobs < 0)
        return oras_fail_errno(err, errno, "cannot list 'blobs'");
    code = list_algorithm(blobs, ORAS_SHA256, buf, err);
    return code ? code : list_algorithm(blobs, ORAS_SHA512, buf, err);
}
