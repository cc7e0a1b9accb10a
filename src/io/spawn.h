/* SPDX-License-Identifier: MIT
 * How programs of others are started: posix_spawn(3), since a host may have many threads and much
 * memory: nothing is copied, and it says at once when the program cannot be run. */
#ifndef ORAS_IO_SPAWN_H
#define ORAS_IO_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

typedef struct oras_spawn_plan {
    const char *path;
    const char *const *argv, *const *env;
    const int *streams; /* become 0, 1, ...; none is one of those already */
    int n_streams;
    bool alone; /* no other descriptor is passed on */
} oras_spawn_plan;

/** Start it in a session without a terminal, with signals as a program expects them. 0, or what
 * errno would say. */
int oras_spawn(const oras_spawn_plan *plan, pid_t *pid);

#endif
