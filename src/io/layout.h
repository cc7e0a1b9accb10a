/* SPDX-License-Identifier: MIT
 * OCI image layout on disk, reading: below a root descriptor, never through a symlink. */
#ifndef ORAS_IO_LAYOUT_H
#define ORAS_IO_LAYOUT_H

#include "base/buf.h"
#include "oci/digest.h"

typedef struct oras_layout oras_layout;

/** Open; class not_found (no such directory), content (no or bad oci-layout file), io. */
oras_code oras_layout_open(const char *path, oras_layout **out, oras_error *err);
void oras_layout_free(oras_layout *layout);

/** The bytes of index.json into buf (whose limit holds). */
oras_code oras_layout_index(oras_layout *layout, oras_buf *buf, oras_error *err);

/** Open a blob for reading; *fd is the caller's, *size its size. Class not_found, path (a
 * symlink or no regular file), io. The bytes are not verified yet. */
oras_code oras_layout_blob(oras_layout *layout, const oras_digest *digest, int *fd, int64_t *size,
                           oras_error *err);

/** Append the digests of all blobs, one a line ("sha256:...\n"), in no order. What is no blob's
 * name is passed over. Class limit (of buf), path (a directory is a link), io. */
oras_code oras_layout_blobs(oras_layout *layout, oras_buf *buf, oras_error *err);

#endif
