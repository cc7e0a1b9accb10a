/* SPDX-License-Identifier: MIT
 * An allocator for tests: fails from the n-th allocation on (or only there), counts what is
 * alive, and remembers whether a freed block still held a word. */
#ifndef ORAS_TESTS_FAILING_ALLOC_H
#define ORAS_TESTS_FAILING_ALLOC_H

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

typedef struct failing_alloc {
    long n_before_failure; /* allocations that still succeed; -1: all */
    bool once;
    long n_alive;
    const char *canary; /* looked for in freed blocks */
    bool canary_seen;
} failing_alloc;

typedef union block_head {
    size_t size;
    max_align_t align;
} block_head;

static void failing_look(failing_alloc *state, const block_head *head)
{
    const char *data = (const char *)(head + 1);
    size_t size = state->canary ? strlen(state->canary) : 0;

    for (size_t i = 0; size && i + size <= head->size; i++) {
        if (memcmp(data + i, state->canary, size) == 0)
            state->canary_seen = true;
    }
}

static bool failing_fails(failing_alloc *state)
{
    if (state->n_before_failure < 0)
        return false;
    if (state->n_before_failure > 0) {
        state->n_before_failure--;
        return false;
    }
    if (state->once)
        state->n_before_failure = -1;
    return true;
}

static void *failing_resize(void *ud, void *ptr, size_t size)
{
    failing_alloc *state = ud;
    block_head *old = ptr ? (block_head *)ptr - 1 : NULL, *block;

    if (size == 0) {
        if (old) {
            failing_look(state, old);
            state->n_alive--;
            free(old);
        }
        return NULL;
    }
    if (failing_fails(state))
        return NULL;
    block = malloc(sizeof *block + size); /* always moves, so that stale pointers show */
    if (!block)
        return NULL;
    block->size = size;
    state->n_alive++;
    if (old) {
        memcpy(block + 1, old + 1, old->size < size ? old->size : size);
        failing_look(state, old);
        state->n_alive--;
        free(old);
    }
    return block + 1;
}

#endif
