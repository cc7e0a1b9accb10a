/* SPDX-License-Identifier: MIT
 * Timers of the loop beside curl's: a few, in a list, soonest first. */
#ifndef ORAS_NET_TIMERS_H
#define ORAS_NET_TIMERS_H

#include "net/loop.h"

/** Put it into the list by its due time; take it out, where it may be missing. */
void oras_timers_add(oras_timer **list, oras_timer *timer);
void oras_timers_remove(oras_timer **list, const oras_timer *timer);

/** Take out and call those that are due; they may change the list. */
void oras_timers_run(oras_timer **list);

#endif
