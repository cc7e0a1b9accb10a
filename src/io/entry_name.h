/* SPDX-License-Identifier: MIT
 * Names of archive entries: relative, inside, bounded. The same rules for tar and zip. */
#ifndef ORAS_IO_ENTRY_NAME_H
#define ORAS_IO_ENTRY_NAME_H

#include "base/buf.h"

#define ORAS_ENTRY_COMPONENT_MAX 255 /* NAME_MAX of the file systems we write to */

/**
 * Put the name into *out without "." components, doubled and trailing slashes.
 *
 * Class path: empty, absolute, a ".." component, a NUL byte. Class limit: a component over
 * 255 bytes, more than `max_depth` of them. A name that is the root itself gives ".".
 *
 * @param name  bytes as in the archive, borrowed; not NUL-terminated
 * @param out   cleared first
 */
oras_code oras_entry_name_clean(const char *name, size_t size, int max_depth, oras_buf *out,
                                oras_error *err);

#endif
