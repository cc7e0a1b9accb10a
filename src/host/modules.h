/* SPDX-License-Identifier: MIT
 * Lua files and C modules inside the library. */
#ifndef ORAS_HOST_MODULES_H
#define ORAS_HOST_MODULES_H

#include <lua.h>
#include <stdbool.h>

/** Lua: the module oras.host, what the command line and the search for providers need from
 * C besides oras.core. */
int oras_host_open(lua_State *L);

/** Push the module of ours of that name, or what package.loaded has in its place; loads it on
 * first use. Gives whether there is one. Raises. [-0, +0 or +1] */
bool oras_modules_push(lua_State *L, const char *name);

/** The directory of the providers that are installed beside the library; false if unknown. */
int oras_host_provider_dir(char *buf, size_t size);

#endif
