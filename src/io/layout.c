/* SPDX-License-Identifier: MIT */
#include "base/alloc.h"
#include "base/cleanup.h"
#include "io/file.h"
#include "io/layout_internal.h"
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

static oras_code read_below(int root, const char *name, oras_buf *out, oras_error *err)
{
    _cleanup_(oras_close_fd) int fd = -1;
    int64_t size;
    oras_code code = oras_root_read(root, name, &fd, &size, err);

    return code ? code : oras_file_read_fd(fd, name, out, err);
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

/* A directory without the marker is no layout, whatever else lies in it. */
static oras_code check_marker(int root, oras_error *err)
{
    _cleanup_(oras_buf_dispose) oras_buf text = ORAS_BUF_INIT(MARKER_MAX);
    oras_error cause = ORAS_ERROR_INIT;
    json_t *marker;
    oras_code code = read_below(root, MARKER, &text, &cause);

    if (code == ORAS_ENOTFOUND)
        return oras_fail(err, ORAS_C_CONTENT, "no image layout: it has no file '%s'", MARKER);
    if (!code)
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

oras_code oras_layout_open(const char *path, oras_layout **out, oras_error *err)
{
    _cleanup_(oras_close_fd) int root = -1;
    oras_code code = oras_root_open(path, &root, err);
    oras_layout *layout;

    if (code)
        return code;
    code = check_marker(root, err);
    if (code)
        return oras_error_wrap(err, code, "layout '%s'", path);
    layout = oras_alloc_zero(1, sizeof *layout);
    if (!layout)
        return oras_fail_memory(err);
    layout->root = oras_steal_fd(&root);
    layout->path = oras_strdup(path);
    if (!layout->path) {
        oras_layout_free(layout);
        return oras_fail_memory(err);
    }
    *out = layout;
    return ORAS_OK;
}

void oras_layout_free(oras_layout *layout)
{
    if (!layout)
        return;
    oras_close_fd(&layout->root);
    oras_dealloc(layout->path);
    oras_dealloc(layout);
}

bool oras_layout_is_current(const oras_layout *layout)
{
    struct stat opened, named;

    return fstat(layout->root, &opened) == 0 && stat(layout->path, &named) == 0 &&
           opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

oras_code oras_layout_index(oras_layout *layout, oras_buf *buf, oras_error *err)
{
    return read_below(layout->root, ORAS_LAYOUT_INDEX, buf, err);
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
    oras_layout_name name = oras_layout_name_of(digest);

    out->offset = 0;
    return oras_root_read(layout->root, name.text, &out->fd, &out->size, err);
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
    _cleanup_(oras_close_fd) int blobs =
        openat(layout->root, "blobs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    oras_code code;

    if (blobs < 0 && (errno == ELOOP || errno == ENOTDIR))
        return oras_fail(err, ORAS_C_PATH, "'blobs' is no directory of its own");
    if (blobs < 0)
        return oras_fail_errno(err, errno, "cannot list 'blobs'");
    code = list_algorithm(blobs, ORAS_SHA256, buf, err);
    return code ? code : list_algorithm(blobs, ORAS_SHA512, buf, err);
}
