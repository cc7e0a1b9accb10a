/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "io/rename.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

static atomic_bool without;

void oras_rename_force_fallback(bool force)
{
    atomic_store(&without, force);
}

static int no_replace(int from_dir, const char *from, int to_dir, const char *to)
{
    if (atomic_load(&without)) {
        errno = ENOSYS;
        return -1;
    }
    return renameat2(from_dir, from, to_dir, to, RENAME_NOREPLACE);
}

/* EINVAL: a file system without it; ENOSYS, EPERM: a kernel, a filter of system calls. */
static bool is_unknown(int number)
{
    return number == EINVAL || number == ENOSYS || number == EPERM;
}

int oras_rename_new_file(int from_dir, const char *from, int to_dir, const char *to)
{
    if (no_replace(from_dir, from, to_dir, to) == 0)
        return 0;
    if (!is_unknown(errno))
        return -1;
    if (linkat(from_dir, from, to_dir, to, 0) != 0)
        return -1;
    return unlinkat(from_dir, from, 0);
}

/* rename(2) lets a directory take the place of an empty directory alone. */
int oras_rename_new_dir(int from_dir, const char *from, int to_dir, const char *to)
{
    if (no_replace(from_dir, from, to_dir, to) == 0)
        return 0;
    return is_unknown(errno) ? renameat(from_dir, from, to_dir, to) : -1;
}
