/* SPDX-License-Identifier: MIT
 * Waiting for a lock of flock(2), which has nothing to wait for beside a loop: tried again and
 * again, each time a little later. Other tasks run meanwhile, as one of them may hold it. */
#ifndef ORAS_BIND_LOCK_WAIT_H
#define ORAS_BIND_LOCK_WAIT_H

#include "bind/wait.h"

/** The first member of a box of its own. */
typedef struct oras_lock_wait {
    oras_context *context; /* NULL: it was never begun, or ended */
    /* One try; false: not yet. What it fails with ends the waiting, too. */
    bool (*try_it)(struct oras_lock_wait *wait, oras_error *err);
    const char *what; /* "the layout": for the message */
    oras_timer timer;
    int64_t until, poll_ms;
    oras_signal signal;
    oras_error failure; /* code 0: the lock is got */
} oras_lock_wait;

/** Seconds to wait, from the argument at idx; raises for what is none. [-0, +0] */
lua_Number oras_lock_wait_seconds(lua_State *L, int idx);

/** Try until it is got or the time is over (class io), then give what k(L, LUA_OK, wait) gives.
 * Use it as a tail call; the box is to be closed. */
int oras_lock_wait_for(lua_State *L, oras_lock_wait *wait, lua_Number seconds, lua_KFunction k);

/** Nothing is tried any more. Idempotent. */
void oras_lock_wait_end(oras_lock_wait *wait);

#endif
