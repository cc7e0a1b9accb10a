/* SPDX-License-Identifier: MIT
 * The "host[:port]" in front of a reference. */
#ifndef ORAS_OCI_HOST_H
#define ORAS_OCI_HOST_H

#include "base/error.h"

/** Most bytes of "host:port". */
#define ORAS_AUTHORITY_MAX 262

/** Docker's rule: a first component is a host if it has '.' or ':', is "localhost" or has an
 * upper-case letter. */
bool oras_looks_like_host(const char *text, size_t size);

/**
 * Check and normalise into out (ORAS_AUTHORITY_MAX + 1 bytes): lower case (unless only its
 * upper case makes it a host), canonical IPv6, "index.docker.io" as "docker.io".
 *
 * @return class usage
 */
oras_code oras_host_normalise(const char *text, size_t size, char *out, oras_error *err);

#endif
