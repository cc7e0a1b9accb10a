/* SPDX-License-Identifier: MIT
 * Signals that an I/O call sends to its own thread; their default ends the host. */
#ifndef ORAS_NET_GUARD_H
#define ORAS_NET_GUARD_H

#include <signal.h>

typedef struct oras_guard {
    sigset_t old, pending; /* of the thread, before */
} oras_guard;

/** Hold SIGPIPE and SIGXFSZ back from this thread: the call fails with EPIPE or EFBIG instead.
 * No handler of the host's is touched. */
void oras_guard_begin(oras_guard *guard);

/** As it was; what came in between is dropped, what was pending before stays. */
void oras_guard_end(const oras_guard *guard);

#endif
