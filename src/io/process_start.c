/* SPDX-License-Identifier: MIT
 * Find a program and start it. */
#define _GNU_SOURCE
#include "base/alloc.h"
#include "base/cleanup.h"
#include "io/process_internal.h"
#include "io/spawn.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- where it is ---------------------------------------------------------------------------- */

typedef enum found { FOUND_NOTHING, FOUND_UNUSABLE, FOUND_PROGRAM } found;

static found look_at(const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0 || S_ISDIR(st.st_mode))
        return FOUND_NOTHING;
    return S_ISREG(st.st_mode) && access(path, X_OK) == 0 ? FOUND_PROGRAM : FOUND_UNUSABLE;
}

/* A relative directory in PATH would run what happens to lie where we are. */
static bool join(const char *dir, size_t size, const char *name, char path[PATH_MAX])
{
    size_t n_name = strlen(name);

    if (size == 0 || dir[0] != '/' || size + n_name + 2 > PATH_MAX)
        return false;
    memcpy(path, dir, size);
    path[size] = '/';
    memcpy(path + size + 1, name, n_name + 1);
    return true;
}

static found search(const char *name, char path[PATH_MAX])
{
    const char *at = getenv("PATH");
    found best = FOUND_NOTHING;

    while (at && *at) {
        size_t size = strcspn(at, ":");
        found here = join(at, size, name, path) ? look_at(path) : FOUND_NOTHING;

        if (here == FOUND_PROGRAM)
            return here;
        best = here > best ? here : best;
        at += size + (at[size] == ':');
    }
    return best;
}

static oras_code find(const char *file, char path[PATH_MAX], oras_error *err)
{
    bool is_path = strchr(file, '/');
    found what;

    if (*file == '\0' || strlen(file) >= PATH_MAX)
        return oras_fail(err, ORAS_C_HELPER, "the name of a program is empty or too long");
    if (is_path)
        memcpy(path, file, strlen(file) + 1);
    what = is_path ? look_at(path) : search(file, path);
    if (what == FOUND_PROGRAM)
        return ORAS_OK;
    if (what == FOUND_UNUSABLE)
        return oras_fail(err, ORAS_C_HELPER, "'%.100s' is not executable", file);
    return oras_fail(err, ORAS_C_HELPER,
                     is_path ? "there is no program '%.100s'" : "'%.100s' is not in PATH", file);
}

/* --- its environment ------------------------------------------------------------------------ */

static size_t name_size(const char *entry)
{
    return strcspn(entry, "=");
}

static bool is_changed(const char *entry, const char *const *changes)
{
    size_t size = name_size(entry);

    for (; changes && *changes; changes++) {
        if (name_size(*changes) == size && strncmp(*changes, entry, size) == 0)
            return true;
    }
    return false;
}

static size_t count(const char *const *list)
{
    size_t n = 0;

    while (list && list[n])
        n++;
    return n;
}

/* Only the list is new, its strings are borrowed. */
static const char **make_environment(const char *const *changes)
{
    const char *const *ours = (const char *const *)environ;
    const char **list = oras_alloc_zero(count(ours) + count(changes) + 1, sizeof *list);
    size_t n = 0;

    if (!list)
        return NULL;
    for (; ours && *ours; ours++) {
        if (!is_changed(*ours, changes))
            list[n++] = *ours;
    }
    for (; changes && *changes; changes++) {
        if (strchr(*changes, '='))
            list[n++] = *changes;
    }
    return list;
}

/* --- start ---------------------------------------------------------------------------------- */

oras_code oras_process_spawn(const oras_process_plan *plan, const int streams[3], pid_t *pid,
                             oras_error *err)
{
    char path[PATH_MAX], words[128];
    const char **env;
    oras_code code = find(plan->file, path, err);
    int rc;

    if (code)
        return code;
    env = make_environment(plan->env);
    if (!env)
        return oras_fail_memory(err);
    rc = oras_spawn(&(oras_spawn_plan){path, plan->argv, env, streams, 3, true}, pid);
    oras_dealloc(env);
    if (rc == 0)
        return ORAS_OK;
    if (rc == ENOMEM)
        return oras_fail_memory(err);
    return oras_fail(err, ORAS_C_HELPER, "cannot run '%.100s': %s", plan->file,
                     oras_errno_text(rc, words, sizeof words));
}
