/* SPDX-License-Identifier: MIT
 * Digest of a file, computed on a worker. */
#ifndef ORAS_BIND_DIGEST_FILE_H
#define ORAS_BIND_DIGEST_FILE_H

#include "oci/digest.h"

#include <lua.h>

/** The algorithm named at idx, sha256 if nothing is; misuse for any other. */
oras_algorithm oras_lua_opt_algorithm(lua_State *L, int idx);

/** The same for the field "algorithm" of the table at idx. */
oras_algorithm oras_lua_field_algorithm(lua_State *L, int idx);

/** Lua: digest.of_file(path, algorithm?) -> text; waits. */
int oras_lua_digest_of_file(lua_State *L);

/** Lua: root:digest(path, algorithm?) -> text; waits. */
int oras_lua_digest_below(lua_State *L, const int *root);

#endif
