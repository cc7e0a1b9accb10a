/* SPDX-License-Identifier: MIT
 * oras.core.layout, tars: where their blobs are gathered, and the tar that is made of them. */
#include "base/alloc.h"
#include "bind/box.h"
#include "bind/layout.h"
#include "bind/layout_work.h"
#include "bind/lua_error.h"
#include "io/layout_pack.h"

#include <stdlib.h>
#include <string.h>

#define PACK "oras.layout_pack"

enum { PACK_FIRST = 1, PACK_SECOND, PACK_N_VALUES = PACK_SECOND }; /* user values: layouts */

typedef struct pack_box {
    oras_layout_work work; /* first */
    oras_layout_pack pack;
    oras_layout_box *layouts[2]; /* kept alive by the user values */
    oras_digest *digests;
} pack_box;

/* stage(path) -> layout: beside path; it goes when it is closed */
int oras_lua_layout_stage(lua_State *L)
{
    const char *path = oras_lua_check_text(L, 1, "path");
    oras_layout_box *box = oras_lua_layout_push(L, 1);
    oras_error err = ORAS_ERROR_INIT;

    if (oras_layout_stage(path, &box->layout, &err))
        return oras_lua_fail(L, &err);
    return 1;
}

static oras_code pack_run(oras_layout_work *work, oras_error *err)
{
    return oras_layout_pack_write(&((pack_box *)work)->pack, err);
}

static int pack_close(lua_State *L)
{
    pack_box *box = lua_touserdata(L, 1);

    atomic_store(&box->pack.abandoned, true);
    if (oras_layout_work_settle(&box->work)) {
        for (int i = 0; i < 2; i++) {
            if (box->layouts[i])
                box->layouts[i]->n_busy--;
        }
    }
    oras_dealloc(box->digests);
    box->digests = NULL;
    return 0;
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const oras_digest *)a)->text, ((const oras_digest *)b)->text);
}

/* The list at `list` into the box, sorted. */
static oras_code read_digests(lua_State *L, int list, pack_box *box, oras_error *err)
{
    size_t n = (size_t)lua_rawlen(L, list);
    oras_code code = ORAS_OK;

    box->digests = oras_alloc_zero(n + 1, sizeof *box->digests);
    if (!box->digests)
        return oras_fail_memory(err);
    for (size_t i = 0; i < n && !code; i++) {
        lua_rawgeti(L, list, (lua_Integer)i + 1);
        code = oras_lua_check_digest(L, -1, &box->digests[i], err);
        lua_pop(L, 1);
    }
    qsort(box->digests, n, sizeof *box->digests, compare);
    box->pack.digests = box->digests;
    box->pack.n_digests = n;
    return code;
}

/* The layouts at `first` and behind it, of which the box's user values take hold. */
static void read_layouts(lua_State *L, int first, int box_at, pack_box *box)
{
    for (int i = 0; i < 2; i++) {
        if (lua_isnoneornil(L, first + i))
            continue;
        box->pack.layouts[i] = oras_lua_check_layout(L, first + i);
        box->layouts[i] = lua_touserdata(L, first + i);
        lua_pushvalue(L, first + i);
        lua_setiuservalue(L, box_at, PACK_FIRST + i);
    }
}

static int packed(lua_State *L, int status, lua_KContext ctx)
{
    const pack_box *box = (const pack_box *)ctx;

    (void)status;
    if (box->work.failure.code)
        return oras_lua_fail(L, &box->work.failure);
    lua_pushboolean(L, 1);
    return 1;
}

/* pack(path, index, digests, replace, layout?, layout?) -> true: blobs of the layouts as a tar;
 * it replaces the one at path, or there must be none */
int oras_lua_layout_pack(lua_State *L)
{
    const char *path = oras_lua_check_text(L, 1, "path");
    oras_context *context = oras_context_get(L);
    oras_error err = ORAS_ERROR_INIT;
    pack_box *box;
    size_t size;
    const char *index = luaL_checklstring(L, 2, &size);

    luaL_checktype(L, 3, LUA_TTABLE);
    lua_settop(L, 6);
    box = oras_box_new(L, PACK, sizeof *box, PACK_N_VALUES);
    box->work.run = pack_run;
    box->pack.path = path;
    box->pack.index = index;
    box->pack.index_size = size;
    box->pack.replace = lua_toboolean(L, 4);
    box->pack.umask = oras_pool_umask(context->pool);
    lua_toclose(L, 7);
    read_layouts(L, 5, 7, box);
    if (read_digests(L, 3, box, &err) || oras_layout_work_start(&box->work, context, &err))
        return oras_lua_fail(L, &err);
    for (int i = 0; i < 2; i++) {
        if (box->layouts[i])
            box->layouts[i]->n_busy++;
    }
    return oras_lua_wait(L, &box->work.signal, (lua_KContext)box, packed);
}

void oras_lua_layout_open_pack(lua_State *L)
{
    oras_box_type(L, PACK, NULL, pack_close);
}
