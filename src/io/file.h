/* SPDX-License-Identifier: MIT
 * Small whole files. */
#ifndef ORAS_IO_FILE_H
#define ORAS_IO_FILE_H

#include "base/buf.h"

/** Open a regular file for reading, following links, never waiting (a FIFO is refused). Class
 * io, with errno's words; io (no regular file). *fd is the caller's. */
oras_code oras_file_open(const char *path, int *fd, int64_t *size, oras_error *err);

/** All of a file into *out (appended). Class io; limit when it has more than `limit`
 * bytes. */
oras_code oras_file_read(const char *path, size_t limit, oras_buf *out, oras_error *err);

/** What is left to read of fd, at most to out's limit; `name` is for messages. */
oras_code oras_file_read_fd(int fd, const char *name, oras_buf *out, oras_error *err);

#endif
