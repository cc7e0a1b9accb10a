/* SPDX-License-Identifier: MIT
 * Packs read as the loop reads them: when there is nothing, after the notification. */
#ifndef TESTS_PACK_HELP_H
#define TESTS_PACK_HELP_H

#include "archive_help.h"
#include "tree_help.h"

#include "io/pack_internal.h"

#include <pthread.h>

#define MAKE(name) oras_buf name = ORAS_BUF_INIT((size_t)1 << 30)
#define MANY       ((size_t)40 << 20) /* bytes: more than the ring of blocks holds */

typedef struct bell {
    pthread_mutex_t lock;
    pthread_cond_t rung;
    int n;
} bell;

extern bell the_bell; /* rung by sources */

void ring(void *ud);
void await_bell(bell *b);

typedef struct packing {
    oras_pool *pool;
    oras_source *source;
    oras_error err;
} packing;

packing start(const char *path, int n_threads, oras_pack_options options);
void end(packing *p);

/* Read at most `most` bytes in chunks of odd sizes. */
oras_source_step read_some(packing *p, size_t most, oras_buf *out);
oras_source_step read_all(packing *p, oras_buf *out);

/* Read all and expect a failure of this class whose message holds these words. */
void expect_failed(packing *p, oras_class class, const char *words);

/* Pack all of it; its digest and size are right. */
void pack_all(const char *path, int n_threads, oras_pack_options options, oras_buf *out);

void put_random(const char *path, size_t size);
void put_text(const char *path, size_t size);

/* A tree "t" with something of everything. */
void put_tree(void);

#endif
