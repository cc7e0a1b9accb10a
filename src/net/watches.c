/* SPDX-License-Identifier: MIT */
#include "net/watches.h"

void oras_watches_add(oras_fd_watch **list, oras_fd_watch *watch)
{
    watch->next = *list;
    *list = watch;
}

void oras_watches_remove(oras_fd_watch **list, const oras_fd_watch *watch)
{
    for (; *list; list = &(*list)->next) {
        if (*list == watch) {
            *list = watch->next;
            return;
        }
    }
}

bool oras_watches_run(const oras_fd_watch *list, int fd)
{
    for (; list; list = list->next) {
        if (list->fd == fd) {
            list->fn(list->ud);
            return true;
        }
    }
    return false;
}
