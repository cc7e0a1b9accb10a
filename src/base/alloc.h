/* SPDX-License-Identifier: MIT
 * The one allocator of the library; replaceable as a whole before first use. */
#ifndef ORAS_BASE_ALLOC_H
#define ORAS_BASE_ALLOC_H

#include <oras.h>

#include <stdbool.h>

/** Set the allocator (NULL: malloc); false once memory has been handed out by another. */
bool oras_alloc_set(const oras_allocator *alloc);

/** Allocate, resize, free; NULL when there is no memory. size 0 never reaches the host. */
void *oras_alloc(size_t size) __attribute__((malloc, warn_unused_result));
void *oras_alloc_zero(size_t count, size_t size) __attribute__((malloc, warn_unused_result));
void *oras_realloc(void *ptr, size_t size) __attribute__((warn_unused_result));
void oras_dealloc(void *ptr);

/** How often memory was refused so far, in any thread: for failures whose cause a library of
 * another's does not tell. */
unsigned long oras_alloc_refusals(void);
char *oras_strdup(const char *text) __attribute__((malloc, warn_unused_result));
char *oras_strndup(const char *text, size_t size) __attribute__((malloc, warn_unused_result));

/** a + b and a * b into *out; false when that does not fit. */
bool oras_size_add(size_t a, size_t b, size_t *out);
bool oras_size_mul(size_t a, size_t b, size_t *out);

#endif
