/* SPDX-License-Identifier: MIT
 * A layout as Lua holds it, and the functions of its table that stand in files of their own. */
#ifndef ORAS_BIND_LAYOUT_H
#define ORAS_BIND_LAYOUT_H

#include "io/layout.h"

#include <lauxlib.h>
#include <lua.h>

typedef struct oras_layout_box {
    oras_layout *layout; /* NULL once closed */
    int n_busy;          /* workers that use it */
} oras_layout_box;

enum { ORAS_LAYOUT_PATH = 1 }; /* user value of the box */

/** The open layout at idx, borrowed; raises if it is something else or closed. */
oras_layout *oras_lua_check_layout(lua_State *L, int idx);

/** Push a layout that is closed until the caller has opened one; its path is at idx. [-0, +1] */
oras_layout_box *oras_lua_layout_push(lua_State *L, int idx);

/** Read the digest at idx; raises for what is no string. Class content. */
oras_code oras_lua_check_digest(lua_State *L, int idx, oras_digest *out, oras_error *err);

/** nil and an error object that knows the digest at 2. */
int oras_lua_fail_blob(lua_State *L, const oras_error *err);

/** Functions of the table, and methods of a layout. */
int oras_lua_layout_age(lua_State *L);
int oras_lua_layout_create(lua_State *L);
int oras_lua_layout_fetch(lua_State *L);
int oras_lua_layout_lock(lua_State *L);
int oras_lua_layout_pack(lua_State *L);
int oras_lua_layout_put(lua_State *L);
int oras_lua_layout_sink(lua_State *L);
int oras_lua_layout_source(lua_State *L);
int oras_lua_layout_stage(lua_State *L);
int oras_lua_layout_sweep(lua_State *L);
int oras_lua_layout_touch(lua_State *L);

/** Make the types that they use. [-0, +0] */
void oras_lua_layout_open_fetch(lua_State *L);
void oras_lua_layout_open_lock(lua_State *L);
void oras_lua_layout_open_pack(lua_State *L);

#endif
