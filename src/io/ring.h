/* SPDX-License-Identifier: MIT
 * A ring of blocks between one producer and one consumer. It has no lock of its own: who
 * shares it guards the counts; the bytes of a block belong to one side at a time. */
#ifndef ORAS_IO_RING_H
#define ORAS_IO_RING_H

#include "base/error.h"

#define ORAS_RING_MAX 8

typedef struct oras_block {
    char *data;
    size_t size;
} oras_block;

typedef struct oras_ring {
    int n_blocks;
    size_t block_size;
    int first, n; /* handed over and not passed yet */
    oras_block blocks[ORAS_RING_MAX];
} oras_ring;

void oras_ring_init(oras_ring *ring, int n_blocks, size_t block_size);
void oras_ring_dispose(oras_ring *ring);

/** Forget what is in it, keep the memory. */
void oras_ring_clear(oras_ring *ring);

/** Is every block handed over? */
bool oras_ring_is_full(const oras_ring *ring);

/** The producer's block, which is not handed over yet; its memory comes with first use. Not
 * for a full ring. NULL without memory. */
oras_block *oras_ring_to_fill(oras_ring *ring);
void oras_ring_hand_over(oras_ring *ring);

/** The consumer's block, which it gives back when it has passed it. */
oras_block *oras_ring_first(oras_ring *ring);
void oras_ring_pass(oras_ring *ring);

#endif
