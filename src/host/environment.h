/* SPDX-License-Identifier: MIT
 * Our Lua code in a state that is not ours: its own globals, `require`, entries in package. */
#ifndef ORAS_HOST_ENVIRONMENT_H
#define ORAS_HOST_ENVIRONMENT_H

#include <lua.h>

/** Make the globals of our code and fill package.preload, unless that was done. Raises.
 * [-0, +0] */
void oras_environment_open(lua_State *L);

/** Lua: take our modules out of package.preload and package.loaded. */
int oras_environment_close(lua_State *L);

/** Push the globals of our code, or nil in a state of our own. [-0, +1] */
void oras_environment_push(lua_State *L);

#endif
