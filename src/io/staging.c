/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "io/staging.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "io/merge.h"
#include "io/remove.h"
#include "io/rename.h"
#include "io/root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void close_all(oras_staging *staging)
{
    oras_close_fd(&staging->fd); /* lets go of the lock */
    oras_close_fd(&staging->parent);
    staging->fd = staging->parent = -1;
}

oras_code oras_staging_init(oras_staging *staging, int root, const char *path, bool overwrite,
                            bool durable, oras_error *err)
{
    *staging = (oras_staging){
        .root = -1, .overwrite = overwrite, .durable = durable, .parent = -1, .fd = -1};
    if (strcmp(path, ".") != 0 && !oras_root_path_is_plain(path))
        return oras_fail(err, ORAS_C_PATH, "'%s' is not a plain relative path", path);
    staging->path = oras_strdup(path);
    if (!staging->path)
        return oras_fail_memory(err);
    staging->root = fcntl(root, F_DUPFD_CLOEXEC, 0);
    if (staging->root < 0)
        return oras_fail_errno(err, errno, "cannot keep a directory open");
    return ORAS_OK;
}

void oras_staging_dispose(oras_staging *staging)
{
    close_all(staging);
    oras_close_fd(&staging->root);
    oras_dealloc(staging->path);
    *staging = (oras_staging){.root = -1, .parent = -1, .fd = -1};
}

static bool is_root(const oras_staging *staging)
{
    return strcmp(staging->path, ".") == 0;
}

static oras_code look_at_name(const oras_staging *staging, oras_error *err)
{
    oras_look look;

    if (oras_look_at(staging->parent, staging->name, &look) != 0)
        return oras_root_explain(errno, staging->path, err);
    switch (look.kind) {
    case ORAS_LOOK_NOTHING:
        return ORAS_OK;
    case ORAS_LOOK_DIRECTORY:
        if (staging->overwrite || is_root(staging))
            return ORAS_OK;
        return oras_fail(err, ORAS_C_EXISTS, "'%s' exists already", staging->path);
    case ORAS_LOOK_FILE:
        return oras_fail(err, ORAS_C_EXISTS, "'%s' exists and is no directory", staging->path);
    case ORAS_LOOK_SYMLINK:
        return oras_fail(err, ORAS_C_PATH, "'%s' is a symbolic link", staging->path);
    default:
        return oras_fail(err, ORAS_C_PATH, "'%s' is no directory", staging->path);
    }
}

oras_code oras_staging_open(oras_staging *staging, oras_error *err)
{
    oras_code code;

    staging->name = ".";
    code = is_root(staging) ? oras_root_dir(staging->root, ".", false, &staging->parent, err)
                            : oras_root_parent(staging->root, staging->path, true, &staging->parent,
                                               &staging->name, err);
    if (!code)
        code = look_at_name(staging, err);
    if (!code)
        code =
            oras_partial_tree(staging->parent, staging->path, staging->partial, &staging->fd, err);
    if (code)
        close_all(staging);
    return code;
}

static oras_code merge(const oras_staging *staging, oras_error *err)
{
    _cleanup_(oras_close_fd) int to = -1;
    oras_code code = oras_root_dir(staging->parent, staging->name, false, &to, err);

    return code ? code : oras_merge(staging->fd, to, staging->overwrite, staging->path, err);
}

/* syncfs writes what others wrote, too; one call is still cheaper than one for each file. */
static oras_code sync_all(const oras_staging *staging, oras_error *err)
{
    if (staging->durable && syncfs(staging->fd) != 0)
        return oras_fail_errno(err, errno, "cannot write '%s'", staging->path);
    return ORAS_OK;
}

static oras_code take_name(const oras_staging *staging, mode_t mode, bool *renamed, oras_error *err)
{
    oras_code code;

    if (is_root(staging))
        return merge(staging, err);
    if (fchmod(staging->fd, mode) != 0)
        return oras_fail_errno(err, errno, "cannot write '%s'", staging->path);
    *renamed =
        oras_rename_new_dir(staging->parent, staging->partial, staging->parent, staging->name) == 0;
    if (*renamed)
        return ORAS_OK;
    if (errno != EEXIST && errno != ENOTEMPTY && errno != ENOTDIR)
        return oras_fail_errno(err, errno, "cannot write '%s'", staging->path);
    code = look_at_name(staging, err);
    return code ? code : merge(staging, err);
}

oras_code oras_staging_publish(oras_staging *staging, mode_t mode, oras_error *err)
{
    bool renamed = false;
    oras_code code = sync_all(staging, err);

    if (!code)
        code = take_name(staging, mode, &renamed, err);
    if (!code)
        code = sync_all(staging, err);
    if (!renamed)
        oras_remove_tree(staging->parent, staging->partial);
    if (!code)
        oras_partial_sweep_at(staging->parent);
    close_all(staging);
    return code;
}

void oras_staging_discard(oras_staging *staging)
{
    if (staging->fd >= 0)
        oras_remove_tree(staging->parent, staging->partial);
    close_all(staging);
}

oras_staging oras_staging_steal(oras_staging *staging)
{
    oras_staging stolen = *staging;

    stolen.root = -1;
    stolen.path = NULL;
    staging->parent = staging->fd = -1;
    return stolen;
}
