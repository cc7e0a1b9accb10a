/* SPDX-License-Identifier: MIT
 * What any thread wants run on the loop's: first come, first served. */
#ifndef ORAS_NET_POSTS_H
#define ORAS_NET_POSTS_H

#include "net/loop.h"

#include <pthread.h>

typedef struct oras_posts {
    pthread_mutex_t lock;
    oras_post *first, *last;
} oras_posts;

void oras_posts_init(oras_posts *posts);
void oras_posts_dispose(oras_posts *posts);

/** False: it is queued already. */
bool oras_posts_add(oras_posts *posts, oras_post *post);
void oras_posts_remove(oras_posts *posts, oras_post *post);

/** The first, which is taken out; NULL: none. */
oras_post *oras_posts_next(oras_posts *posts);

#endif
