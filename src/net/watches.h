/* SPDX-License-Identifier: MIT
 * Descriptors beside curl's that the loop watches: a few, in a list. */
#ifndef ORAS_NET_WATCHES_H
#define ORAS_NET_WATCHES_H

#include "net/loop.h"

/** Put it into the list; take it out, where it may be missing. */
void oras_watches_add(oras_fd_watch **list, oras_fd_watch *watch);
void oras_watches_remove(oras_fd_watch **list, const oras_fd_watch *watch);

/** Call whoever watches `fd`; false: nobody does. */
bool oras_watches_run(const oras_fd_watch *list, int fd);

#endif
