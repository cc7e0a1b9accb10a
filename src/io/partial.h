/* SPDX-License-Identifier: MIT
 * Temporaries beside what they will become: their names, and what is left of dead processes.
 * The lock (flock) on one says that somebody works on it. */
#ifndef ORAS_IO_PARTIAL_H
#define ORAS_IO_PARTIAL_H

#include "base/error.h"
#include "oci/digest.h"

#define ORAS_PARTIAL_PREFIX   ".oras-partial-"
#define ORAS_PARTIAL_NAME_MAX (ORAS_DIGEST_TEXT_MAX + 32)

/** A new regular file of a random name in `dir`, locked; its name goes into `name`. Class io,
 * with errno's words; `shown` is the directory's path. */
oras_code oras_partial_file(int dir, const char *shown, char name[ORAS_PARTIAL_NAME_MAX], int *fd,
                            oras_error *err);

/** The same for a directory (0700). */
oras_code oras_partial_tree(int dir, const char *shown, char name[ORAS_PARTIAL_NAME_MAX], int *fd,
                            oras_error *err);

/** Remove temporaries in a directory that nobody has locked: files and trees of a random name,
 * and files named by digest that are older than a day. Failures are ignored. */
void oras_partial_sweep(const char *dir);
void oras_partial_sweep_at(int dir);

#endif
