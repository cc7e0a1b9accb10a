/* SPDX-License-Identifier: MIT
 * Bytes that are written under a lock: on a worker, as a disk takes its time. */
#ifndef ORAS_BIND_LOCK_WRITE_H
#define ORAS_BIND_LOCK_WRITE_H

#include "base/error.h"

#include <lua.h>
#include <sys/types.h>

/** What is written to, and how. */
typedef struct oras_lock_target {
    void *object; /* kept alive by the lock, which does not end while *n_busy > 0 */
    oras_code (*write)(void *object, const void *bytes, size_t size, mode_t umask, oras_error *err);
    int *n_busy; /* counts the writes that run */
} oras_lock_target;

/** Make the type "oras.lock_write", unless it is there. [-0, +0] */
void oras_lua_open_lock_write(lua_State *L);

/** Lua: method(lock, bytes) -> true. Use it as a tail call. */
int oras_lua_lock_write(lua_State *L, const oras_lock_target *target);

#endif
