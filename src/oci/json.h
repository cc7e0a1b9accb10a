/* SPDX-License-Identifier: MIT
 * Strict JSON (RFC 8259, I-JSON where registries need it) on jansson. */
#ifndef ORAS_OCI_JSON_H
#define ORAS_OCI_JSON_H

#include "base/error.h"

#include <jansson.h>

#define ORAS_JSON_DEPTH     64  /* default; design limits */
#define ORAS_JSON_DEPTH_MAX 256 /* most that a caller may ask for: readers recurse so deep */

/**
 * Decode a document.
 *
 * @param max_depth  nesting of arrays and objects; 0: ORAS_JSON_DEPTH
 * @param out        the value, the caller's: json_decref()
 * @return class content (not JSON, duplicate key, bad UTF-8, NUL, number out of range,
 *         something before or behind), limit (too deep), memory. The text is never quoted
 */
oras_code oras_json_decode(const char *text, size_t size, int max_depth, json_t **out,
                           oras_error *err);

/**
 * Have jansson take its memory from oras_alloc(). That is for the whole process, so it is
 * done for a host that gave an allocator, and not where somebody set jansson's functions.
 */
void oras_json_use_allocator(void);

#endif
