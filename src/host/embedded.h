/* SPDX-License-Identifier: MIT
 * The Lua files inside the library, as bytecode; the tables are written by cmake/embed. */
#ifndef ORAS_HOST_EMBEDDED_H
#define ORAS_HOST_EMBEDDED_H

#include <stddef.h>

typedef struct oras_embedded {
    const char *name; /* of the module: "oras.registry", "providers.conda" */
    const unsigned char *code;
    size_t size;
} oras_embedded;

/* sorted by name, ended by an entry without one */
extern const oras_embedded oras_embedded_modules[];
extern const size_t oras_embedded_modules_count;
extern const oras_embedded oras_embedded_providers[];
extern const size_t oras_embedded_providers_count;

#endif
