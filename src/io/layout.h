/* SPDX-License-Identifier: MIT
 * OCI image layout on disk: read and written below a root descriptor, never through a symlink; or
 * read out of a tar, which is only written as a whole (io/layout_pack.h).
 *
 * Whoever changes the index holds the lock (flock on the file "oci-layout", which nobody
 * replaces), reads the index again and writes it anew; readers need no lock, as it is renamed
 * into its place. Blobs are written without the lock: their name is their content. */
#ifndef ORAS_IO_LAYOUT_H
#define ORAS_IO_LAYOUT_H

#include "io/source.h"

typedef struct oras_layout oras_layout;

/** Open a directory or a tar; class not_found (also a directory that is empty, or where a layout
 * was only begun), content (no or bad oci-layout file, a broken tar), path (neither of both),
 * unsupported (a compressed tar), limit, io. */
oras_code oras_layout_open(const char *path, oras_layout **out, oras_error *err);
void oras_layout_free(oras_layout *layout);

/** Is it a tar, and no directory? */
bool oras_layout_is_tar(const oras_layout *layout);

/** Does its path still name what was opened? */
bool oras_layout_is_current(const oras_layout *layout);

/** The bytes of index.json into buf (whose limit holds). */
oras_code oras_layout_index(oras_layout *layout, oras_buf *buf, oras_error *err);

/** Where the bytes of a blob lie. */
typedef struct oras_extent {
    int fd; /* the holder's */
    int64_t offset, size;
} oras_extent;

/** Open a blob for reading. Class not_found, path (a symlink or no regular file), io. The bytes
 * are not verified yet. */
oras_code oras_layout_blob(oras_layout *layout, const oras_digest *digest, oras_extent *out,
                           oras_error *err);

/** The same as a source, which needs the layout no longer. Its bytes are not verified: whoever
 * takes them knows the digest. */
oras_code oras_layout_source(oras_layout *layout, const oras_digest *digest, oras_source **out,
                             oras_error *err);

/** Append the digests of all blobs, one a line ("sha256:...\n"), in no order. What is no blob's
 * name is passed over. Class limit (of buf), path (a directory is a link), io. */
oras_code oras_layout_blobs(oras_layout *layout, oras_buf *buf, oras_error *err);

/** Make what is missing of a layout: the directory and its parents, oci-layout first, blobs/sha256,
 * an empty index.json. Any number of processes may do so at once, and any of them may die at any
 * point. Class content when other things lie in a directory without oci-layout; path, io. */
oras_code oras_layout_create(const char *path, mode_t umask, oras_error *err);

/** An empty layout of one's own beside `path`, without an index, to gather blobs in. Freeing it
 * removes it with all that is in it. */
oras_code oras_layout_stage(const char *path, oras_layout **out, oras_error *err);

/** Become the one who may change the index: *fd is the lock, held until it is closed; -1 when
 * somebody else has it. Class io. */
oras_code oras_layout_try_lock(const oras_layout *layout, int *fd, oras_error *err);

/** Replace index.json, durably. Only under the lock; any thread. Class io. */
oras_code oras_layout_write_index(const oras_layout *layout, const void *data, size_t size,
                                  mode_t umask, oras_error *err);

/** A file sink that becomes the blob of the expected digest, in place of one that is there; of
 * the digest that its bytes turn out to have, if none is expected. `resume`: it takes up a
 * partial file, and leaves one behind. */
oras_code oras_layout_sink(const oras_layout *layout, oras_pool *pool, const oras_expect *expect,
                           bool resume, oras_sink **out, oras_error *err);

/** Small bytes as a blob, at once. */
oras_code oras_layout_put(const oras_layout *layout, const oras_digest *digest, const void *data,
                          size_t size, mode_t umask, oras_error *err);

/** A blob that is there counts as new, so that who collects garbage lets it be until an index
 * names it. */
oras_code oras_layout_touch(const oras_layout *layout, const oras_digest *digest, oras_error *err);

/** Seconds since the blob was written or touched. Class not_found, path, io. */
oras_code oras_layout_age(const oras_layout *layout, const oras_digest *digest, int64_t *seconds,
                          oras_error *err);

/** Remove what dead processes left behind. Failures are ignored. */
void oras_layout_sweep(const oras_layout *layout);

/** Remove a blob. Class not_found, path, io. */
oras_code oras_layout_remove(const oras_layout *layout, const oras_digest *digest, oras_error *err);

#endif
