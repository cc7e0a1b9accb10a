/* SPDX-License-Identifier: MIT
 * libarchive, loaded on first use: linked to it, every start would load its 14 libraries. */
#ifndef ORAS_IO_LIBARCHIVE_H
#define ORAS_IO_LIBARCHIVE_H

#include "io/library.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>

#define ORAS_LIBARCHIVE_FUNCTIONS(X)                                                               \
    X(archive_entry_filetype)                                                                      \
    X(archive_entry_is_encrypted)                                                                  \
    X(archive_entry_mtime)                                                                         \
    X(archive_entry_pathname)                                                                      \
    X(archive_entry_perm)                                                                          \
    X(archive_entry_size)                                                                          \
    X(archive_entry_size_is_set)                                                                   \
    X(archive_entry_symlink)                                                                       \
    X(archive_error_string)                                                                        \
    X(archive_format_name)                                                                         \
    X(archive_read_data_block)                                                                     \
    X(archive_read_free)                                                                           \
    X(archive_read_new)                                                                            \
    X(archive_read_next_header)                                                                    \
    X(archive_read_open_fd)                                                                        \
    X(archive_read_open_memory)                                                                    \
    X(archive_read_support_format_zip_seekable)

/** The functions we call, under their own names. */
typedef struct oras_libarchive {
    ORAS_LIBARCHIVE_FUNCTIONS(ORAS_LIBRARY_FIELD)
    locale_t utf8; /* (locale_t)0 where the system has none */
} oras_libarchive;

/** Class unsupported when the library is not there. What *out points at lives for ever. */
oras_code oras_libarchive_get(const oras_libarchive **out, oras_error *err);

/** libarchive converts names to the thread's locale, and drops those that do not fit: in C.UTF-8
 * all of them pass as they are. Enter before names are read, leave with what it gave. */
locale_t oras_libarchive_enter(const oras_libarchive *lib);
void oras_libarchive_leave(const oras_libarchive *lib, locale_t before);

#endif
