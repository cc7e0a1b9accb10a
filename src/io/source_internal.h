/* SPDX-License-Identifier: MIT
 * What the kinds of sources share. */
#ifndef ORAS_IO_SOURCE_INTERNAL_H
#define ORAS_IO_SOURCE_INTERNAL_H

#include "io/source.h"

typedef struct oras_source_ops {
    oras_source_step (*read)(oras_source *source, void *data, size_t capacity, size_t *size,
                             oras_error *err);
    oras_code (*seek)(oras_source *source, int64_t offset, oras_error *err); /* NULL: cannot */
    bool (*can_seek)(const oras_source *source); /* NULL: if there is `seek` */
    bool (*digest)(const oras_source *source, oras_digest *digest, int64_t *size); /* NULL: no */
    void (*set_notify)(oras_source *source, oras_notify notify); /* NULL: the field alone */
    void (*set_pool)(oras_source *source, oras_pool *pool);      /* NULL: it never waits */
    void (*free)(oras_source *source);
} oras_source_ops;

/* A kind embeds it first. */
struct oras_source {
    const oras_source_ops *ops;
    int64_t size;  /* -1: known at the end */
    unsigned mode; /* permissions of a file; 0: it has none */
    oras_notify notify;
};

#endif
