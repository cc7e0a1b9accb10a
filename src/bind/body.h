/* SPDX-License-Identifier: MIT
 * The body of a response as Lua holds it: bytes in memory, or a stream that still runs. */
#ifndef ORAS_BIND_BODY_H
#define ORAS_BIND_BODY_H

#include "bind/wait.h"
#include "io/sink.h"

typedef struct oras_body oras_body;

/** What a kind of body does; `ud` is its own, kept alive by the body's user values. */
typedef struct oras_body_ops {
    oras_code (*pull)(void *ud, const void **data, size_t *size, bool *ended, oras_error *err);
    oras_buf *(*bytes)(void *ud); /* NULL: it is a stream */
    void (*close)(void *ud);      /* NULL: nothing to end */
} oras_body_ops;

/** Push a new body whose user value 1 is the value on top, which is popped: the userdata that
 * `ud` points into. [-1, +1] */
oras_body *oras_lua_push_body(lua_State *L, const oras_body_ops *ops, void *ud);

/** Push a body over what the memory sink at sink_idx holds. [-0, +1] */
void oras_lua_push_sink_body(lua_State *L, int sink_idx);

/** The body at idx; raises if it is something else. oras_lua_test_body gives NULL instead. */
oras_body *oras_lua_check_body(lua_State *L, int idx);
oras_body *oras_lua_test_body(lua_State *L, int idx);

/** All bytes of a body in memory; NULL if it is a stream. Borrowed. */
oras_buf *oras_body_bytes(oras_body *body);

/**
 * Next bytes, without waiting: size > 0; or size 0 and *ended (the body is complete, its
 * size and digest were right); or size 0 and not ended: wait for oras_body_signal() and ask
 * again. Borrowed until the next pull. Works for bodies in memory too.
 */
oras_code oras_body_pull(oras_body *body, const void **data, size_t *size, bool *ended,
                         oras_error *err);
oras_signal *oras_body_signal(oras_body *body);

/** End the transfer behind it, if it still runs. Idempotent. */
void oras_body_close(oras_body *body);

#endif
