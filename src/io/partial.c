/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "io/partial.h"

#include "base/cleanup.h"
#include "io/remove.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#define STALE_SECONDS (24 * 60 * 60)
#define OWN_PREFIX    ORAS_PARTIAL_PREFIX "own-"
#define TREE_PREFIX   ORAS_PARTIAL_PREFIX "tree-"
#define TRIES         8

static oras_code random_name(const char *prefix, char name[ORAS_PARTIAL_NAME_MAX], oras_error *err)
{
    uint64_t number[2];

    if (getrandom(number, sizeof number, 0) != sizeof number)
        return oras_fail_errno(err, errno, "cannot get random bytes");
    snprintf(name, ORAS_PARTIAL_NAME_MAX, "%s%016llx%016llx", prefix, (unsigned long long)number[0],
             (unsigned long long)number[1]);
    return ORAS_OK;
}

/* Lock what was just made. Somebody who sweeps may have come before: then it is gone, or about
 * to go. Where a file system has no locks nobody sweeps either. */
static bool lock_new(int fd)
{
    struct stat st;

    if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return false;
    return fstat(fd, &st) == 0 && st.st_nlink > 0;
}

static int make_file(int dir, const char *name)
{
    return openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

static int make_tree(int dir, const char *name)
{
    if (mkdirat(dir, name, 0700) != 0)
        return -1;
    return openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static oras_code make(int dir, const char *shown, const char *prefix,
                      int (*make_one)(int, const char *), char name[ORAS_PARTIAL_NAME_MAX], int *fd,
                      oras_error *err)
{
    oras_code code = ORAS_OK;

    for (int i = 0; i < TRIES && !code; i++) {
        int made;

        code = random_name(prefix, name, err);
        if (code)
            return code;
        made = make_one(dir, name);
        if (made >= 0 && lock_new(made)) {
            *fd = made;
            return ORAS_OK;
        }
        if (made < 0 && errno != EEXIST && errno != ENOENT)
            break;
        oras_close_fd(&made);
    }
    return oras_fail_errno(err, errno, "cannot make a temporary for '%s'", shown);
}

oras_code oras_partial_file(int dir, const char *shown, char name[ORAS_PARTIAL_NAME_MAX], int *fd,
                            oras_error *err)
{
    return make(dir, shown, OWN_PREFIX, make_file, name, fd, err);
}

oras_code oras_partial_tree(int dir, const char *shown, char name[ORAS_PARTIAL_NAME_MAX], int *fd,
                            oras_error *err)
{
    return make(dir, shown, TREE_PREFIX, make_tree, name, fd, err);
}

/* --- sweeping ----------------------------------------------------------------------------- */

static bool starts_with(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

static bool is_stale_file(const char *name, const struct stat *st)
{
    return S_ISREG(st->st_mode) &&
           (starts_with(name, OWN_PREFIX) || time(NULL) - st->st_mtime > STALE_SECONDS);
}

static bool is_stale_tree(const char *name, const struct stat *st)
{
    return S_ISDIR(st->st_mode) && starts_with(name, TREE_PREFIX) && st->st_uid == geteuid();
}

static void sweep_one(int dir, const char *name)
{
    _cleanup_(oras_close_fd) int fd =
        openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat st;

    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0 || fstat(fd, &st) != 0)
        return;
    if (is_stale_file(name, &st))
        unlinkat(dir, name, 0);
    else if (is_stale_tree(name, &st))
        oras_remove_tree(dir, name);
}

static void sweep_stream(DIR *stream)
{
    const struct dirent *entry;

    if (!stream)
        return;
    while ((entry = readdir(stream))) {
        if (starts_with(entry->d_name, ORAS_PARTIAL_PREFIX))
            sweep_one(dirfd(stream), entry->d_name);
    }
    closedir(stream);
}

void oras_partial_sweep(const char *dir)
{
    sweep_stream(opendir(dir));
}

void oras_partial_sweep_at(int dir)
{
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);

    if (!stream)
        oras_close_fd(&fd);
    sweep_stream(stream);
}
