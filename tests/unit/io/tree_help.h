/* SPDX-License-Identifier: MIT
 * Trees of files in a directory of their own, which is the working directory meanwhile. */
#ifndef TESTS_TREE_HELP_H
#define TESTS_TREE_HELP_H

#include "cmocka_c11.h"

#include <stdbool.h>

/* cmocka's set-up and tear-down of one test: an empty directory, gone afterwards. */
int tree_set_up(void **state);
int tree_tear_down(void **state);

/* Make things; missing parents are made, too. Times are 2020-09-13 12:26:40. */
void put(const char *path, const char *text);
void put_bytes(const char *path, const void *data, size_t size);
void put_dir(const char *path);
void put_link(const char *path, const char *target);
void put_fifo(const char *path);
void put_socket(const char *path);

/* Remove whatever stands there. */
void put_away(const char *path);

/* Become nobody for a while, so that modes count, when the tests run as root. */
void drop_root(void);
void regain_root(void);

#endif
