/* SPDX-License-Identifier: MIT
 * A call of a provider's method, JSON in and out, with or without a stream. */
#ifndef ORAS_HOST_CALL_H
#define ORAS_HOST_CALL_H

#include "host/runtime.h"

#define ORAS_CALL_ARGS 4 /* of the function that makes calls */

typedef struct oras_call_spec {
    const char *provider, *method, *args;
    oras_stream *stream; /* NULL: none */
} oras_call_spec;

/** Push the function that makes calls, and its arguments. Raises. */
void oras_call_push(lua_State *L, const oras_call_spec *spec);

/** Make the call and wait for it. */
oras_code oras_call_run(oras_runtime *rt, const oras_call_spec *spec, char **result,
                        oras_error *err);

/** Start it. */
oras_code oras_call_spawn(oras_runtime *rt, const oras_call_spec *spec, oras_call **out,
                          oras_error *err);

#endif
