/* SPDX-License-Identifier: MIT
 * Credentials that the host gives, and that they do not stay in memory. */
#ifndef ORAS_HOST_CREDENTIALS_H
#define ORAS_HOST_CREDENTIALS_H

#include "host/runtime.h"

/** Lua: credentials(host, repository?) -> a table as get_credentials gives it, false for nobody,
 * or nil where the host says nothing. Raises what the host fails with. */
int oras_credentials_ask(lua_State *L);

/** Is what the runtime's own state frees wiped? */
bool oras_credentials_wiped(const oras_runtime *rt);

/** A lua_Alloc that leaves nothing behind. */
void *oras_credentials_resize(void *ptr, size_t old_size, size_t size);

#endif
