/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "io/spawn.h"

#include <signal.h>
#include <spawn.h>

static int add_files(posix_spawn_file_actions_t *actions, const oras_spawn_plan *plan)
{
    int rc = 0;

    for (int i = 0; i < plan->n_streams && rc == 0; i++)
        rc = posix_spawn_file_actions_adddup2(actions, plan->streams[i], i);
    if (rc || !plan->alone)
        return rc;
    return posix_spawn_file_actions_addclosefrom_np(actions, plan->n_streams);
}

static int set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t all, none;

    sigfillset(&all);
    sigemptyset(&none);
    posix_spawnattr_setsigdefault(attributes, &all);
    posix_spawnattr_setsigmask(attributes, &none);
    return posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF |
                                                    POSIX_SPAWN_SETSIGMASK);
}

int oras_spawn(const oras_spawn_plan *plan, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int rc = posix_spawn_file_actions_init(&actions);

    if (rc)
        return rc;
    rc = posix_spawnattr_init(&attributes);
    if (!rc) {
        rc = add_files(&actions, plan);
        if (!rc)
            rc = set_attributes(&attributes);
        if (!rc) /* what it is given it does not change */
            rc = posix_spawn(pid, plan->path, &actions, &attributes, (char *const *)plan->argv,
                             (char *const *)plan->env);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return rc;
}
