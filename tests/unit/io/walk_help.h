/* SPDX-License-Identifier: MIT
 * Walks step by step. */
#ifndef TESTS_WALK_HELP_H
#define TESTS_WALK_HELP_H

#include "tree_help.h"

#include "io/walk.h"

#include <string.h>

extern atomic_bool never; /* stop */

typedef struct walked {
    oras_walk *walk;
    oras_walk_entry entry;
    bool ended;
    oras_error err;
} walked;

walked start_with(const char *path, oras_walk_options options);
walked start(const char *path);
oras_code step(walked *w);
void expect_step(walked *w, const char *name);
void expect_end(walked *w);
void expect_failed_step(walked *w, oras_class class, const char *words);

/* The names, one a line, of a walk that succeeds. */
void expect_names(const char *path, const char *prefix, const char *names);

/* Expect a walk that fails somewhere. */
void expect_failure_of(const char *path, oras_class class, const char *words);

#endif
