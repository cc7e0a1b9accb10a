/* SPDX-License-Identifier: MIT
 * Extended headers of tar: pax records (POSIX.1-2017, pax, "pax Extended Header") and GNU's
 * long names; what they say about the next entry. An entry has either a pax header or GNU's
 * names, each once: readers disagree about what repeated ones mean. */
#ifndef ORAS_IO_TAR_PAX_H
#define ORAS_IO_TAR_PAX_H

#include "base/buf.h"

#define ORAS_TAR_EXTENSION_MAX 65536 /* bytes of one extended header */

typedef struct oras_tar_extra {
    oras_buf path, linkname; /* raw; may hold NULs, which the name rules refuse */
    bool has_path, has_linkname, has_size, has_mtime, is_sparse;
    bool seen_pax, seen_long_name, seen_long_link; /* once each, never both kinds */
    int64_t size, mtime;
    int64_t real_size; /* what a sparse file would unpack to */
} oras_tar_extra;

void oras_tar_extra_init(oras_tar_extra *extra);
void oras_tar_extra_dispose(oras_tar_extra *extra);

/** Forget what was said: an entry has taken it. */
void oras_tar_extra_clear(oras_tar_extra *extra);

/** Has anything been said that waits for its entry? */
bool oras_tar_extra_is_pending(const oras_tar_extra *extra);

/** Read the records of an 'x' header. Class content: malformed records or values. */
oras_code oras_tar_extra_pax(oras_tar_extra *extra, const oras_buf *records, oras_error *err);

/** Read the records of a 'g' header into one that holds for all later entries. Only a time is
 * accepted (and comments): a name or size for everything is read differently by every tar. */
oras_code oras_tar_extra_global(oras_tar_extra *global, const oras_buf *records, oras_error *err);

/** Take the text of GNU's 'L' (name) or 'K' (link target). */
oras_code oras_tar_extra_long(oras_tar_extra *extra, char type, const oras_buf *text,
                              oras_error *err);

#endif
