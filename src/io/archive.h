/* SPDX-License-Identifier: MIT
 * Reading archives from untrusted bytes: tar (plain, gzip, zstd, bzip2) and zip.
 *
 * The reader has no source: bytes are fed to it, so that they may come from a download, a
 * file or a string, and no callback of a library ever waits. */
#ifndef ORAS_IO_ARCHIVE_H
#define ORAS_IO_ARCHIVE_H

#include "base/error.h"

typedef struct oras_archive oras_archive;

/** 0 in a field means its default (design limits). */
typedef struct oras_archive_limits {
    int64_t max_bytes;   /* unpacked, all members: 10 GiB */
    int64_t max_entries; /* 1,000,000 */
    int max_ratio;       /* unpacked : packed, after the first 64 MiB: 200 */
    int max_depth;       /* components of a name: 64 */
} oras_archive_limits;

typedef enum oras_entry_type {
    ORAS_ENTRY_FILE,
    ORAS_ENTRY_DIRECTORY,
    ORAS_ENTRY_SYMLINK,
    ORAS_ENTRY_HARDLINK,
    ORAS_ENTRY_CHARACTER,
    ORAS_ENTRY_BLOCK,
    ORAS_ENTRY_FIFO
} oras_entry_type;

/** Borrowed from the reader until the next oras_archive_next(). */
typedef struct oras_entry {
    const char *path; /* no "./" in front, no "/" behind; bytes as in the archive, no NUL */
    oras_entry_type type;
    int64_t size; /* -1: unknown until read (streamed zip) */
    int64_t mtime;
    unsigned mode;        /* permission bits */
    const char *linkname; /* NULL unless a link */
} oras_entry;

typedef enum oras_archive_step {
    ORAS_STEP_MORE,  /* feed me (or say that there is no more) */
    ORAS_STEP_ENTRY, /* an entry is current */
    ORAS_STEP_DATA,  /* bytes of the current entry */
    ORAS_STEP_END,   /* of the entry (read) or of the archive (next) */
    ORAS_STEP_FAILED /* err says why; the reader can only be freed */
} oras_archive_step;

/** What the media type promises; the bytes must agree (faults C36). ANY: go by the bytes. */
typedef enum oras_packing {
    ORAS_PACKING_ANY,
    ORAS_PACKING_NONE,
    ORAS_PACKING_GZIP,
    ORAS_PACKING_ZSTD,
    ORAS_PACKING_BZIP2,
    ORAS_PACKING_ZIP
} oras_packing;

oras_code oras_archive_new(oras_packing packing, const oras_archive_limits *limits,
                           oras_archive **out, oras_error *err);
void oras_archive_free(oras_archive *archive);

/** Give bytes; borrowed until the reader asks for more again. Only after ORAS_STEP_MORE (or
 * first of all). size 0: there are no more. */
void oras_archive_feed(oras_archive *archive, const void *data, size_t size);

/** Go to the next entry, passing over what is left of the current one: MORE, ENTRY, END or
 * FAILED. END comes only after both end blocks, checksums and sizes were right and all input
 * was fed (so the source's own digest has been seen too). */
oras_archive_step oras_archive_next(oras_archive *archive, oras_entry *out, oras_error *err);

/** Bytes of the current entry: MORE, DATA (*data borrowed until the next call), END, FAILED. */
oras_archive_step oras_archive_read(oras_archive *archive, const void **data, size_t *size,
                                    oras_error *err);

#endif
