/* SPDX-License-Identifier: MIT
 * Reading a source to its end. */
#ifndef ORAS_TESTS_SOURCE_HELP_H
#define ORAS_TESTS_SOURCE_HELP_H

#include "cmocka_c11.h"
#include "io/source.h"

/** Everything that comes, in reads of `capacity`. Gives the step that ended it. */
oras_source_step drain(oras_source *source, char *out, size_t capacity, size_t *total,
                       oras_error *err);

/** Those bytes come, then the end. */
void assert_gives(oras_source *source, const char *bytes, size_t size, size_t capacity);

#endif
