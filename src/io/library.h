/* SPDX-License-Identifier: MIT
 * Libraries that most runs do not need, loaded on first use: linked, they would be loaded
 * and relocated at every start. */
#ifndef ORAS_IO_LIBRARY_H
#define ORAS_IO_LIBRARY_H

#include "base/error.h"

/* A struct of the functions of a list X-macro, under their own names, and the search for them. */
#define ORAS_LIBRARY_FIELD(name) __typeof__(name) *name;
#define ORAS_LIBRARY_NAME(name)  #name,

/** Load `file` and fill `slots` (an array of function pointers) with the functions of `names`,
 * which ends in NULL; false if anything is missing. The library stays for good. */
bool oras_library_load(const char *file, const char *const *names, void *slots);

#endif
