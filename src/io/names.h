/* SPDX-License-Identifier: MIT
 * The names that one archive has used: what each is, and whether another differs from it in
 * case alone (ASCII; what else a file system folds, it says itself).
 *
 * Twelve bytes a name and none of its text: a keyed hash of 64 bits stands for it, which an
 * archive cannot aim at. Among a million names two would be taken for one with a chance of
 * one in thirty million, and the archive would be refused. */
#ifndef ORAS_IO_NAMES_H
#define ORAS_IO_NAMES_H

#include "base/error.h"

typedef struct oras_names oras_names;

typedef enum oras_name_kind {
    ORAS_NAME_FILE,
    ORAS_NAME_LINK,
    ORAS_NAME_DIRECTORY, /* made because something lies in it */
    ORAS_NAME_LISTED,    /* a directory that has its own entry */
    ORAS_NAME_FREE,      /* nothing has it */
    ORAS_NAME_OTHER_CASE /* something has it in other case */
} oras_name_kind;

/** With `any_case`, names that differ in case alone have nothing to do with each other. */
oras_code oras_names_new(bool any_case, oras_names **out, oras_error *err);
void oras_names_free(oras_names *names);

/** What has that name? */
oras_name_kind oras_names_find(const oras_names *names, const char *name, size_t size);

/** Give it to something of `kind`, which may replace DIRECTORY by LISTED; *before is what has
 * it: FREE for success, else nothing was changed. Class memory. */
oras_code oras_names_take(oras_names *names, const char *name, size_t size, oras_name_kind kind,
                          oras_name_kind *before, oras_error *err);

#endif
