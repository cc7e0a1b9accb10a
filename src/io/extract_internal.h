/* SPDX-License-Identifier: MIT
 * What the loop's side of an extraction and its two jobs share. */
#ifndef ORAS_IO_EXTRACT_INTERNAL_H
#define ORAS_IO_EXTRACT_INTERNAL_H

#include "io/entries.h"
#include "io/extract.h"
#include "io/ring.h"
#include "io/staging.h"
#include "io/tree.h"
#include "io/unpack.h"

#include <pthread.h>

typedef enum oras_extract_state {
    ORAS_EXTRACT_CLOSED,
    ORAS_EXTRACT_RUNNING,
    ORAS_EXTRACT_DOUBTFUL, /* the archive is bad: the rest is only hashed, to know whose fault */
    ORAS_EXTRACT_FAILING,  /* the job that leaves last removes what was made */
    ORAS_EXTRACT_CLEANING,
    ORAS_EXTRACT_FAILED,
    ORAS_EXTRACT_DONE
} oras_extract_state;

typedef struct oras_extract_side {
    oras_job job; /* first */
    oras_extract *extract;
    bool is_running;
} oras_extract_side;

struct oras_extract {
    oras_pool *pool;
    oras_extract_hooks hooks;
    oras_tree_target wanted; /* its pointers lead to what follows */
    char *prefix;
    oras_digest content;
    oras_staging staging;

    /* the reader's */
    oras_meter bytes;
    oras_unpack *unpack;
    bool in_block; /* the first packed block, or the end, was given to unpack */

    /* the writer's */
    oras_meter counts;
    oras_entries entries;
    oras_hasher *hasher; /* NULL: nobody asks for the digest of the content */
    oras_tree *tree;
    bool in_entry;

    /* the loop's */
    oras_block *filling; /* of the packed ring; NULL: none yet */

    pthread_mutex_t lock; /* of all that follows */
    oras_ring packed, unpacked;
    bool ended;        /* no more is handed over packed */
    bool all_unpacked; /* no more is handed over unpacked */
    bool refused;      /* a write */
    bool stop;
    oras_extract_state state;
    oras_error failure;
    oras_extract_side reader, writer;
};

/** The jobs. */
void oras_extract_read(oras_job *job);
void oras_extract_make(oras_job *job);

/** Let go of what the jobs worked with; `state` and the staging are the caller's matter. */
void oras_extract_release(oras_extract *extract);

#endif
