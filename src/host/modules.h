/* SPDX-License-Identifier: MIT
 * Lua files and C modules inside the library. */
#ifndef ORAS_HOST_MODULES_H
#define ORAS_HOST_MODULES_H

#include <lua.h>

/** Lua: the module oras.host, what the command line and the search for providers need from
 * C besides oras.core. */
int oras_host_open(lua_State *L);

/** The directory of the providers that are installed beside the library; false if unknown. */
int oras_host_provider_dir(char *buf, size_t size);

#endif
