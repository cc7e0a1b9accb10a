/* SPDX-License-Identifier: MIT
 * Where the bytes of a body go, and the check that they are the right ones.
 *
 * Life: made -> begin -> write* -> finish -> done, or abort at any point. A file sink can go
 * through begin..abort several times (a resumed download) before it is finished. All calls
 * come from the loop's thread; a file sink moves hashing and writing of large blobs to a
 * worker by itself. A sink's own failure outranks what the transfer would say. */
#ifndef ORAS_IO_SINK_H
#define ORAS_IO_SINK_H

#include "base/buf.h"
#include "io/archive.h"
#include "io/worker.h"
#include "oci/digest.h"

typedef struct oras_sink oras_sink;

typedef enum oras_flow {
    ORAS_FLOW_OK,
    ORAS_FLOW_FULL, /* nothing was taken: pause, go on after `ready` */
    ORAS_FLOW_FAILED
} oras_flow;

/** What the body must be. */
typedef struct oras_expect {
    bool has_digest;
    oras_digest digest;
    int64_t size; /* -1: unknown */
} oras_expect;

/** Told (on any thread) that a full sink takes bytes again or that finish is through. */
typedef struct oras_notify {
    void (*fn)(void *ud);
    void *ud;
} oras_notify;

/** In memory, at most `limit` bytes. The digest is checked if one is expected. */
oras_code oras_sink_memory(size_t limit, const oras_expect *expect, oras_sink **out,
                           oras_error *err);

/** The bytes a memory sink holds; NULL for other sinks. The sink's own. */
oras_buf *oras_sink_bytes(oras_sink *sink);

typedef struct oras_file_target {
    const char *path;
    const int *root;   /* NULL, or a directory that path is below: no link is followed then */
    const char *shown; /* how messages name it; NULL: as path */
    bool resume;       /* keep and take up a partial file (default of the Lua API) */
    bool overwrite;    /* else class exists when something stands at path */
    bool durable;      /* fdatasync before the rename, then the directory */
    mode_t mode;       /* of the file, less the umask; 0: of what it replaces, or 0666 */
    bool exact;        /* `mode` as it is, whatever the umask says */
    bool by_digest;    /* the digest's digits take the place of path's last component, by the
                        * algorithm of what is expected; once it is finished,
                        * oras_sink_expected() has the digest */
} oras_file_target;

/** A file: a temporary beside `path`, verified, then renamed. Missing parents are made. */
oras_code oras_sink_file(oras_pool *pool, const oras_file_target *target, const oras_expect *expect,
                         oras_sink **out, oras_error *err);

typedef struct oras_tree_target {
    int root;                   /* a directory */
    const char *path;           /* below it, or "." */
    const char *prefix;         /* NULL, or the name that the tree has in the archive */
    const oras_digest *content; /* NULL, or the digest of the unpacked archive */
    oras_packing packing;       /* what is promised */
    oras_archive_limits limits; /* 0 in a field: its default */
    bool overwrite;             /* a directory that is there takes up what is new; else exists */
    bool links;                 /* symbolic links that stay inside are made; else class path */
    bool any_case;              /* names that differ in case alone are fine; else exists */
    bool exact;                 /* modes as the archive has them, up to 0777, without the umask */
    bool durable;               /* on the disk before it has its name */
} oras_tree_target;

/** A directory unpacked from an archive: made beside `path`, verified, then renamed, or moved
 * file by file into a directory that is there. A broken transfer can be taken up in this
 * process. Nothing of the target is kept. */
oras_code oras_sink_tree(oras_pool *pool, const oras_tree_target *target, const oras_expect *expect,
                         oras_sink **out, oras_error *err);

/** A bounded queue read from with oras_sink_read(). */
oras_code oras_sink_stream(size_t capacity, const oras_expect *expect, oras_sink **out,
                           oras_error *err);

/** Next bytes of a stream: size > 0; size 0 and OK: nothing there now (`ended` says whether
 * ever). Borrowed until the next read. */
oras_code oras_sink_read(oras_sink *sink, const void **data, size_t *size, bool *ended,
                         oras_error *err);

/** Count, hash and forget. */
oras_code oras_sink_discard(const oras_expect *expect, oras_sink **out, oras_error *err);

void oras_sink_free(oras_sink *sink);

/** What was given when it was made. Borrowed. */
const oras_expect *oras_sink_expected(const oras_sink *sink);
bool oras_sink_is_memory(const oras_sink *sink);

/** Bytes of the blob that were taken so far. */
int64_t oras_sink_count(const oras_sink *sink);
bool oras_sink_is_stream(const oras_sink *sink);

/** Does it wait for a reader when it is full, who may wait for something else? */
bool oras_sink_rests(const oras_sink *sink);

/** Whom to tell when the sink can go on; see oras_notify. */
void oras_sink_set_notify(oras_sink *sink, oras_notify notify);

/** Verified bytes already there, from which a download may go on. A file sink opens and
 * hashes its partial file here: `pending` means ask again after the notification. */
oras_code oras_sink_offset(oras_sink *sink, int64_t *offset, bool *pending, oras_error *err);

/** A body begins that stands at `offset` of the blob (0, or what oras_sink_offset gave). */
oras_code oras_sink_begin(oras_sink *sink, int64_t offset, oras_error *err);
oras_flow oras_sink_write(oras_sink *sink, const void *data, size_t size, oras_error *err);

/** The body is complete: check and publish. `pending`: ask again after the notification. */
oras_code oras_sink_finish(oras_sink *sink, bool *pending, oras_error *err);

/** The body broke off. Keeps what a later begin can go on from (waits for the worker). */
void oras_sink_abort(oras_sink *sink);

/** Why the body broke off, before oras_sink_abort(): for whoever reads what a sink passes on. */
void oras_sink_set_cause(oras_sink *sink, const oras_error *cause);

/** Remove the partial file of a file sink that will not be taken up again. */
void oras_sink_remove_partial(oras_sink *sink);

/** The last thing before oras_sink_free(): will that leave a partial file to go on from? */
bool oras_sink_settle(oras_sink *sink);

#endif
