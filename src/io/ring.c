/* SPDX-License-Identifier: MIT */
#include "io/ring.h"

#include "base/alloc.h"

void oras_ring_init(oras_ring *ring, int n_blocks, size_t block_size)
{
    *ring = (oras_ring){.n_blocks = n_blocks, .block_size = block_size};
}

void oras_ring_dispose(oras_ring *ring)
{
    for (int i = 0; i < ring->n_blocks; i++) {
        oras_dealloc(ring->blocks[i].data);
        ring->blocks[i].data = NULL;
    }
}

void oras_ring_clear(oras_ring *ring)
{
    ring->first = ring->n = 0;
    for (int i = 0; i < ring->n_blocks; i++)
        ring->blocks[i].size = 0;
}

bool oras_ring_is_full(const oras_ring *ring)
{
    return ring->n == ring->n_blocks;
}

oras_block *oras_ring_to_fill(oras_ring *ring)
{
    oras_block *block = &ring->blocks[(ring->first + ring->n) % ring->n_blocks];

    if (!block->data)
        block->data = oras_alloc(ring->block_size);
    return block->data ? block : NULL;
}

void oras_ring_hand_over(oras_ring *ring)
{
    ring->n++;
}

oras_block *oras_ring_first(oras_ring *ring)
{
    return &ring->blocks[ring->first];
}

void oras_ring_pass(oras_ring *ring)
{
    ring->blocks[ring->first].size = 0;
    ring->first = (ring->first + 1) % ring->n_blocks;
    ring->n--;
}
