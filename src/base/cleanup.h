/* SPDX-License-Identifier: MIT
 * Scope cleanup, for rooms without Lua: an error of Lua's longjmps over it. */
#ifndef ORAS_BASE_CLEANUP_H
#define ORAS_BASE_CLEANUP_H

#include <unistd.h>

#define _cleanup_(fn) __attribute__((cleanup(fn)))

static inline void oras_close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static inline int oras_steal_fd(int *fd)
{
    int stolen = *fd;

    *fd = -1;
    return stolen;
}

#endif
