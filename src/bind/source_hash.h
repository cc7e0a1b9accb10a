/* SPDX-License-Identifier: MIT
 * Digest of all that a source gives. */
#ifndef ORAS_BIND_SOURCE_HASH_H
#define ORAS_BIND_SOURCE_HASH_H

#include "oci/digest.h"

#include <lua.h>

/** Lua: source:hash(algorithm?) -> digest, size; waits. The source stands at byte 0 again. */
int oras_lua_source_hash(lua_State *L);

/** The same for the source at the absolute index idx; with 1 result the digest alone. */
int oras_lua_hash(lua_State *L, int idx, oras_algorithm algorithm, int n_results);

#endif
