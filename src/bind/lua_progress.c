/* SPDX-License-Identifier: MIT
 * oras.core.progress: what Lua knows about progress, on to the host. */
#include "bind/lua_error.h"
#include "bind/progress.h"
#include "bind/tables.h"

#include <string.h>

/* is_wanted() -> does a host listen? */
static int is_wanted(lua_State *L)
{
    lua_pushboolean(L, oras_context_get(L)->reports != NULL);
    return 1;
}

/* The phases as strings that live for ever. */
static const char *phase_of(lua_State *L, int idx)
{
    static const char *const phases[] = {"download", "upload",  "copy", "hash",
                                         "pack",     "extract", NULL};

    return phases[luaL_checkoption(L, idx, NULL, phases)];
}

static void copy_text(lua_State *L, int idx, char *out, size_t size)
{
    size_t length = 0;
    const char *text = luaL_optlstring(L, idx, "", &length);

    if (length >= size)
        length = size - 1;
    memcpy(out, text, length);
    out[length] = '\0';
}

/* What moved since the last time, in sum: it never falls, whatever a caller says. */
static void add(oras_reports *reports, int64_t done, int64_t total, int64_t unknown)
{
    oras_progress *now = &reports->now;

    now->done += done > 0 ? done : 0;
    reports->sum += total;
    reports->n_unknown += unknown;
    now->total = reports->sum > now->done ? reports->sum : now->done;
    if (reports->n_unknown > 0)
        now->total = -1;
}

/* report(phase, digest?, title?, done, total, blobs_done?, blobs_total?, more_done, more_total,
 * more_unknown): `done` and `total` (-1: unknown) of one thing, and by how much the sums grow */
static int report(lua_State *L)
{
    oras_reports *reports = oras_context_get(L)->reports;
    oras_progress *now;

    if (!reports)
        return 0;
    now = &reports->now;
    now->phase = phase_of(L, 1);
    now->upload = strcmp(now->phase, "upload") == 0 || strcmp(now->phase, "copy") == 0;
    copy_text(L, 2, reports->digest, sizeof reports->digest);
    copy_text(L, 3, reports->title, sizeof reports->title);
    now->blob_done = luaL_checkinteger(L, 4);
    now->blob_total = luaL_checkinteger(L, 5);
    now->blobs_done = luaL_optinteger(L, 6, 0);
    now->blobs_total = luaL_optinteger(L, 7, -1);
    add(reports, luaL_checkinteger(L, 8), luaL_checkinteger(L, 9), luaL_checkinteger(L, 10));
    oras_reports_tell(reports);
    return 0;
}

void oras_lua_open_progress(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"is_wanted", is_wanted}, {"report", report}, {NULL, NULL}};

    luaL_newlib(L, functions);
}
