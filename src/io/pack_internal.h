/* SPDX-License-Identifier: MIT
 * The blocks of an archive that is being packed, and who works on them. */
#ifndef ORAS_IO_PACK_INTERNAL_H
#define ORAS_IO_PACK_INTERNAL_H

#include "io/compress.h"
#include "io/pack_tar.h"
#include "io/source_internal.h"

#include <pthread.h>

#define ORAS_PACK_BLOCK       ((size_t)1 << 20)
#define ORAS_PACK_MAX_WORKERS 4
#define ORAS_PACK_MAX_BLOCKS  8 /* 16 MiB, read and packed */

typedef struct oras_pack oras_pack;

typedef struct oras_pack_block {
    char *tar, *packed; /* room of ORAS_PACK_BLOCK and its bound; NULL until first used */
    size_t n_tar, n_packed;
    bool is_packed;
} oras_pack_block;

typedef struct oras_pack_worker {
    oras_job job; /* first */
    oras_pack *pack;
    oras_compressor *compressor; /* NULL until first used */
    bool busy;                   /* submitted, or at work */
} oras_pack_worker;

typedef struct oras_pack_sum {
    int64_t size;
    oras_digest digest; /* at the end */
} oras_pack_sum;

/* Blocks are numbered from 0 on and lie in a ring. Each passes three stages: filled by the
 * walk (in order, one at a time), packed (in any order), hashed (in order, one at a time).
 * Then it is read, and free again. n_read <= n_hashed <= n_claimed <= n_filled. */
struct oras_pack {
    oras_source base;
    oras_pool *pool;
    char *path;
    oras_compression compression;
    int level;
    int n_workers, n_blocks;
    oras_pack_tar tar;                     /* the filling worker's */
    oras_hasher *tar_hasher, *blob_hasher; /* the hashing worker's; the first NULL if the tar is
                                              the blob */
    oras_pack_sum tar_sum, blob_sum;       /* hashed so far */
    size_t read_at;                        /* the reader's: in the block n_read, */
    bool ended;                            /* and whether there was the last one */
    bool is_known;                         /* it was packed once: every time is to give this */
    oras_pack_sum known_tar, known_blob;

    pthread_mutex_t lock; /* for what follows, and base.notify */
    int64_t n_filled, n_claimed, n_hashed, n_read;
    bool filling, hashing, all_filled, all_hashed;
    bool waiting; /* the reader was told to wait */
    bool stopping;
    atomic_bool stop; /* the same, for looks without the lock */
    oras_error failure;
    oras_pack_block blocks[ORAS_PACK_MAX_BLOCKS];
    oras_pack_worker workers[ORAS_PACK_MAX_WORKERS];
};

/** Set the workers up; nothing runs yet. */
void oras_pack_workers_init(oras_pack *pack);

/** Have workers do what there is to do. Under the lock. */
void oras_pack_wake(oras_pack *pack);

/** Stop all work and wait until nobody is at it. Without the lock. */
void oras_pack_halt(oras_pack *pack);

/** Free what only matters while work goes on. Nobody may be at work. */
void oras_pack_release(oras_pack *pack);

#endif
