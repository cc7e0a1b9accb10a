/* SPDX-License-Identifier: MIT
 * Archives made of bytes, packed, read back as text. */
#ifndef TESTS_ARCHIVE_HELP_H
#define TESTS_ARCHIVE_HELP_H

#include "base/buf.h"
#include "io/archive.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* --- making --- */

typedef struct tar_fields {
    const char *name, *linkname, *prefix;
    char type;         /* 0: '0' */
    int64_t size;      /* what the header claims */
    int64_t mtime;     /* 0: 1600000000 */
    unsigned mode;     /* 0: 0644 */
    const char *magic; /* NULL: POSIX's; 8 bytes */
} tar_fields;

/* Fill one header block; patch it, then make its checksum right again. */
void tar_header(uint8_t block[512], const tar_fields *fields);
void tar_checksum(uint8_t block[512]);

void put_header(oras_buf *tar, const tar_fields *fields);
void put_data(oras_buf *tar, const void *data, size_t size); /* padded */
void put_file(oras_buf *tar, const char *name, const char *content);
void put_pax(oras_buf *tar, char type, const char *records, size_t size);
void put_pax_record(oras_buf *records, const char *key, const char *value);
void put_zeros(oras_buf *out, size_t size);
void put_end(oras_buf *tar); /* two zero blocks */

/* One member, stream or frame, appended to out. */
void pack_gzip(const void *data, size_t size, oras_buf *out);
void pack_bzip2(const void *data, size_t size, oras_buf *out);
void pack_zstd(const void *data, size_t size, oras_buf *out);

/* --- reading --- */

typedef struct list_options {
    oras_packing packing;
    oras_archive_limits limits;
    size_t chunk;  /* bytes fed at a time; 0: all at once */
    unsigned seed; /* not 0: chunks of random sizes up to `chunk` */
    bool contents; /* read each file: "= content" in the text */
    bool digests;  /* read each file: its sha256 in the text */
    bool without_times;
} list_options;

typedef struct listing {
    oras_buf text; /* a line an entry: "f 644 5 1600000000 name -> link = content" */
    bool failed;
    oras_error err;
    int64_t n_entries, n_bytes;
} listing;

/* The chunks are copies that are freed when the reader asks for more, so that reading beyond
 * or too late is seen by ASan and valgrind. */
void list_bytes(const void *data, size_t size, const list_options *options, listing *out);
void list_file(const char *path, const list_options *options, listing *out);
void listing_dispose(listing *list);

/* List with all defaults and expect this text, or a failure of this class whose message holds
 * these words. */
void expect_text(const oras_buf *archive, const char *text);
void expect_failure(const oras_buf *archive, const char *class_name, const char *words);
void expect_failure_with(const oras_buf *archive, const list_options *options,
                         const char *class_name, const char *words);

#endif
