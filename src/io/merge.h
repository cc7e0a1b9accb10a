/* SPDX-License-Identifier: MIT
 * One tree into another that is there already: what the first has comes to stand in the
 * second, what only the second has stays. */
#ifndef ORAS_IO_MERGE_H
#define ORAS_IO_MERGE_H

#include "base/error.h"

/**
 * Move all that is in the directory `from` into `to`, which is on the same file system. First
 * everything is looked at, and nothing moves unless all of it can; then each file takes its
 * place at once. What others do to `to` in between can still make it fail half way: every file
 * is then the old or the new one.
 *
 * @param overwrite  files may replace files; else class exists
 * @param shown      path of `to`, for messages
 * @return class exists (something else stands there), path (a symbolic link or device does), io
 */
oras_code oras_merge(int from, int to, bool overwrite, const char *shown, oras_error *err);

#endif
