/* SPDX-License-Identifier: MIT
 * A file or directory as an archive: the same tree gives the same bytes on every run, machine
 * and number of threads (of one version of the compressing library).
 *
 * Walker -> workers compress blocks of 1 MiB -> one ordered job hashes both sides and fills a
 * ring, from which the source is read. */
#ifndef ORAS_IO_PACK_H
#define ORAS_IO_PACK_H

#include "io/source.h"
#include "io/worker.h"

typedef enum oras_compression {
    ORAS_COMPRESSION_NONE,
    ORAS_COMPRESSION_GZIP, /* members of 1 MiB, libdeflate; what does not shrink is stored */
    ORAS_COMPRESSION_ZSTD  /* frames of fixed size */
} oras_compression;

typedef struct oras_pack_options {
    oras_compression compression;
    int level;           /* 0: the default of the compression (6, 3) */
    const char *prefix;  /* name of the tree in the archive; NULL: its own, as in the path ("."
                            has none); "": its members stand at the top */
    int64_t mtime;       /* of every entry, in seconds; -1: the files' own */
    int64_t max_entries; /* 0: 1,000,000 */
} oras_pack_options;

/** A source of the packed bytes. Its size is known after its end was read once; it can seek to 0
 * only, and is packed again then, to the same bytes (else class content). Reading fails with
 * class io (unreadable), path (socket, FIFO, device, or a symbolic link that leaves the tree),
 * content (a file changed while it was packed), limit. */
oras_code oras_pack_new(oras_pool *pool, const char *path, const oras_pack_options *options,
                        oras_source **out, oras_error *err);

/** Digest and size of the unpacked tar, once END was read (also after a seek). */
bool oras_pack_content(const oras_source *source, oras_digest *digest, int64_t *size);

/** Would a file written at `target` lie in the tree? It would become a part of itself. */
bool oras_pack_would_hold(const char *tree, const char *target);

#endif
