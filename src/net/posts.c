/* SPDX-License-Identifier: MIT */
#include "net/posts.h"

void oras_posts_init(oras_posts *posts)
{
    pthread_mutex_init(&posts->lock, NULL);
}

void oras_posts_dispose(oras_posts *posts)
{
    pthread_mutex_destroy(&posts->lock);
}

bool oras_posts_add(oras_posts *posts, oras_post *post)
{
    bool queued;

    pthread_mutex_lock(&posts->lock);
    queued = post->queued;
    if (!queued) {
        post->queued = true;
        post->next = NULL;
        if (posts->last)
            posts->last->next = post;
        else
            posts->first = post;
        posts->last = post;
    }
    pthread_mutex_unlock(&posts->lock);
    return !queued;
}

void oras_posts_remove(oras_posts *posts, oras_post *post)
{
    oras_post *before = NULL;

    pthread_mutex_lock(&posts->lock);
    for (oras_post *at = posts->first; at; before = at, at = at->next) {
        if (at != post)
            continue;
        if (before)
            before->next = at->next;
        else
            posts->first = at->next;
        if (posts->last == at)
            posts->last = before;
        post->queued = false;
        break;
    }
    pthread_mutex_unlock(&posts->lock);
}

oras_post *oras_posts_next(oras_posts *posts)
{
    oras_post *post;

    pthread_mutex_lock(&posts->lock);
    post = posts->first;
    if (post) {
        posts->first = post->next;
        if (!posts->first)
            posts->last = NULL;
        post->queued = false;
    }
    pthread_mutex_unlock(&posts->lock);
    return post;
}
