/* SPDX-License-Identifier: MIT
 * One header block of a tar archive (POSIX.1-2017, pax, "ustar Interchange Format"; GNU tar
 * manual, "Basic Tar Format"): checked and taken apart, nothing more. */
#ifndef ORAS_IO_TAR_HEADER_H
#define ORAS_IO_TAR_HEADER_H

#include "base/error.h"

#define ORAS_TAR_BLOCK 512

typedef struct oras_tar_header {
    char type;          /* typeflag; '\0' (before POSIX) is given as '0' */
    char name[257];     /* prefix and name joined; all of its bytes count, no NUL in it */
    char linkname[101]; /* NUL-terminated */
    int64_t size;       /* >= 0 */
    int64_t mtime;
    int64_t real_size; /* of an old GNU sparse file ('S'), else 0 */
    unsigned mode;     /* 07777 at most */
} oras_tar_header;

/** Is the block all zero? */
bool oras_tar_block_is_zero(const uint8_t block[ORAS_TAR_BLOCK]);

/** Does the checksum agree? Sums of signed bytes, as old Sun tars wrote them, do too. */
bool oras_tar_checksum_is_right(const uint8_t block[ORAS_TAR_BLOCK]);

/** Class content: a field that is no number, or a negative or too large one. The checksum
 * is not looked at. */
oras_code oras_tar_header_parse(const uint8_t block[ORAS_TAR_BLOCK], oras_tar_header *out,
                                oras_error *err);

#endif
