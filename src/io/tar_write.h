/* SPDX-License-Identifier: MIT
 * Headers of a tar archive as Go's archive/tar writes them, so that a tree packed here and by
 * oras is the same bytes: ustar where it suffices, else a pax header in front. */
#ifndef ORAS_IO_TAR_WRITE_H
#define ORAS_IO_TAR_WRITE_H

#include "base/buf.h"
#include "io/tar_header.h"

#define ORAS_TAR_END_SIZE ((size_t)2 * ORAS_TAR_BLOCK) /* zeros, at the end of an archive */

typedef struct oras_tar_member {
    char type;            /* '0' file, '2' symbolic link, '5' directory */
    const char *name;     /* no "/" behind, for directories neither */
    const char *linkname; /* of a symbolic link, else "" */
    int64_t size;         /* of a file, else 0 */
    int64_t mtime;
    unsigned mode; /* 07777 at most */
} oras_tar_member;

/** Append all header blocks of a member; its bytes and their padding follow. */
oras_code oras_tar_write_header(const oras_tar_member *member, oras_buf *out, oras_error *err);

/** Zeros that follow `size` bytes of a member. */
size_t oras_tar_padding(int64_t size);

#endif
