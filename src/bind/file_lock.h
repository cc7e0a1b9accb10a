/* SPDX-License-Identifier: MIT
 * Files that are changed under a lock. */
#ifndef ORAS_BIND_FILE_LOCK_H
#define ORAS_BIND_FILE_LOCK_H

#include <lua.h>

/** Make the types "oras.file_lock" and what it uses, unless they are there. [-0, +0] */
void oras_lua_open_file_lock(lua_State *L);

/** Lua: file.lock(path, seconds?) -> lock */
int oras_lua_file_lock(lua_State *L);

#endif
