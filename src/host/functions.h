/* SPDX-License-Identifier: MIT
 * Functions of the host's, called by name, JSON in and out. */
#ifndef ORAS_HOST_FUNCTIONS_H
#define ORAS_HOST_FUNCTIONS_H

#include "base/error.h"
#include "host/runtime.h"

/** Lua: has(name) -> is there a function of that name? */
int oras_functions_has(lua_State *L);

/** Lua: call(name, args) -> JSON or nil; or nil and an error. */
int oras_functions_call(lua_State *L);

/** What a host's callback said of its failure, made one of our errors. */
void oras_functions_take_error(const oras_error *said, oras_class fallback, oras_error *err);

/** Forget them all. */
void oras_functions_free(oras_runtime *rt);

#endif
