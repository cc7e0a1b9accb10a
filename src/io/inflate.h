/* SPDX-License-Identifier: MIT
 * One shape for the decompressors: bytes in, bytes out, nothing waits. */
#ifndef ORAS_IO_INFLATE_H
#define ORAS_IO_INFLATE_H

#include "base/error.h"

typedef struct oras_inflate_io {
    const uint8_t *in;
    size_t n_in;
    uint8_t *out;
    size_t n_out; /* room */
} oras_inflate_io;

typedef struct oras_inflate oras_inflate;

typedef struct oras_inflate_ops {
    /* Use up input and fill output until one of them ends, moving the fields of *io along.
     * With neither used nor filled there is nothing more to get from these bytes. */
    oras_code (*step)(oras_inflate *self, oras_inflate_io *io, oras_error *err);
    /* The input has ended; class content unless it ended where it may. */
    oras_code (*finish)(const oras_inflate *self, oras_error *err);
    void (*free)(oras_inflate *self);
} oras_inflate_ops;

struct oras_inflate {
    const oras_inflate_ops *ops;
};

/** Concatenated members, each with a header of at most 64 KiB, CRC and size checked (RFC
 * 1952). Anything else behind a member, zeros too, is class content, as Go's readers see it. */
oras_code oras_gzip_new(oras_inflate **out, oras_error *err);

/** Frames (RFC 8878), skippable ones too, checksums verified. Class limit: a window over 128
 * MiB. Class content: a dictionary, older formats, anything behind a frame. */
oras_code oras_zstd_new(oras_inflate **out, oras_error *err);

/** Concatenated streams; anything behind them is class content. */
oras_code oras_bzip2_new(oras_inflate **out, oras_error *err);

#endif
