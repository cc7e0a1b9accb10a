/* SPDX-License-Identifier: MIT */
#include "net/timers.h"

void oras_timers_add(oras_timer **list, oras_timer *timer)
{
    while (*list && (*list)->due_ms <= timer->due_ms)
        list = &(*list)->next;
    timer->next = *list;
    *list = timer;
}

void oras_timers_remove(oras_timer **list, const oras_timer *timer)
{
    for (; *list; list = &(*list)->next) {
        if (*list == timer) {
            *list = timer->next;
            return;
        }
    }
}

void oras_timers_run(oras_timer **list)
{
    int64_t now = *list ? oras_loop_now() : 0;

    while (*list && (*list)->due_ms <= now) {
        oras_timer *timer = *list;

        *list = timer->next;
        timer->fn(timer->ud);
    }
}
