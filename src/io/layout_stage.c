/* SPDX-License-Identifier: MIT
 * Where the blobs of a tar are gathered before it is written: a directory beside it, which goes
 * with its end, or with the next one who comes by when its process died. */
#define _GNU_SOURCE
#include "base/alloc.h"
#include "base/cleanup.h"
#include "io/layout_internal.h"
#include "io/partial.h"
#include "io/root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

static oras_code open_parent(const char *path, int *fd, oras_error *err)
{
    _cleanup_(oras_buf_dispose) oras_buf dir = ORAS_BUF_INIT(PATH_MAX);
    const char *slash = strrchr(path, '/');
    oras_code code;

    if (!slash)
        oras_buf_puts(&dir, ".");
    else
        oras_buf_append(&dir, path, slash == path ? 1 : (size_t)(slash - path));
    code = oras_buf_check(&dir, "the path of a layout", err);
    return code ? code : oras_root_make(oras_buf_text(&dir), fd, err);
}

static oras_code make(oras_layout *layout, oras_error *err)
{
    _cleanup_(oras_close_fd) int blobs = -1, dir = -1;
    char name[ORAS_PARTIAL_NAME_MAX];
    oras_code code = open_parent(layout->path, &layout->parent, err);

    if (!code) {
        dir = openat(layout->parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        code = dir < 0 ? oras_fail_errno(err, errno, "directory of '%s'", layout->path) : ORAS_OK;
    }
    if (!code)
        oras_partial_sweep_at(dir);
    if (!code)
        code = oras_partial_tree(layout->parent, layout->path, name, &layout->root, err);
    if (code)
        return code;
    layout->staged = oras_strdup(name);
    if (!layout->staged) {
        unlinkat(layout->parent, name, AT_REMOVEDIR);
        return oras_fail_memory(err);
    }
    return oras_root_dir(layout->root, ORAS_LAYOUT_BLOBS "/sha256", true, &blobs, err);
}

oras_code oras_layout_stage(const char *path, oras_layout **out, oras_error *err)
{
    oras_layout *layout = oras_layout_new(path);
    oras_code code;

    if (!layout)
        return oras_fail_memory(err);
    code = make(layout, err);
    if (code)
        oras_layout_free(layout);
    else
        *out = layout;
    return code;
}
