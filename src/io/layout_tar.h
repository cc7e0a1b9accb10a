/* SPDX-License-Identifier: MIT
 * A layout in a tar that is not compressed: where its files lie, read once; entries may stand in
 * any order. */
#ifndef ORAS_IO_LAYOUT_TAR_H
#define ORAS_IO_LAYOUT_TAR_H

#include "io/layout.h"

typedef struct oras_layout_tar oras_layout_tar;

/** Read all headers; `fd` is taken, also on failure. Class content (no tar, or a broken one, or a
 * name twice), path (a file of the layout is a link), unsupported (compressed), limit, io. */
oras_code oras_layout_tar_open(int fd, oras_layout_tar **out, oras_error *err);
void oras_layout_tar_free(oras_layout_tar *tar);

/** Where a file lies, by a descriptor of the caller's own. Class not_found, io. */
oras_code oras_layout_tar_find(const oras_layout_tar *tar, const char *name, oras_extent *out,
                               oras_error *err);

/** Append the digests of all blobs, one a line. Class limit (of buf). */
oras_code oras_layout_tar_blobs(const oras_layout_tar *tar, oras_buf *buf, oras_error *err);

#endif
