/* SPDX-License-Identifier: MIT
 * oras.core.archive: a reader over a body, a file or a string. The reader of io/archive.h is
 * fed here; where a body has nothing yet, the method waits as every other does. */
#include "base/alloc.h"
#include "bind/archive_options.h"
#include "bind/body.h"
#include "bind/box.h"
#include "bind/lua_error.h"
#include "bind/pack.h"
#include "bind/tables.h"
#include "bind/wait.h"
#include "io/archive.h"
#include "io/file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define READER "oras.reader"
#define BLOCK  (256u << 10)
#define KEEP   (1u << 20) /* room that a reader keeps for the next entry */
#define ALL    (-1)       /* read(): the whole entry */
#define SOURCE 1          /* user value: the body or string */

typedef struct reader_box {
    oras_archive *archive; /* NULL once closed */
    oras_body *body;       /* the three sources: this, held in the user value */
    char *block;           /* or a file, read in blocks */
    int fd;
    bool has_fd;
    const char *text; /* or a string, held in the user value */
    size_t n_text;

    bool in_entry, was_read;
    const char *data; /* of the current entry, not given out yet */
    size_t n_data;
    oras_buf collected; /* what read() has so far */
    bool has_failed;
    oras_error failure; /* of the source */
} reader_box;

typedef enum fed { FED, FED_NOTHING_YET, FED_FAILED } fed;

static fed fail_source(reader_box *box, const oras_error *err)
{
    box->has_failed = true;
    box->failure = *err;
    return FED_FAILED;
}

static fed feed_body(reader_box *box)
{
    const void *data = NULL;
    size_t size = 0;
    bool ended = false;
    oras_error err = ORAS_ERROR_INIT;

    if (oras_body_pull(box->body, &data, &size, &ended, &err))
        return fail_source(box, &err);
    if (size == 0 && !ended)
        return FED_NOTHING_YET;
    oras_archive_feed(box->archive, data, size);
    return FED;
}

static fed feed_file(reader_box *box)
{
    oras_error err = ORAS_ERROR_INIT;
    ssize_t n;

    do {
        n = read(box->fd, box->block, BLOCK);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        oras_fail_errno(&err, errno, "read of an archive");
        return fail_source(box, &err);
    }
    oras_archive_feed(box->archive, box->block, (size_t)n);
    return FED;
}

static fed feed(reader_box *box)
{
    if (box->has_failed)
        return FED_FAILED;
    if (box->body)
        return feed_body(box);
    if (box->has_fd)
        return feed_file(box);
    oras_archive_feed(box->archive, box->text, box->n_text);
    box->n_text = 0;
    return FED;
}

static void reader_end(reader_box *box)
{
    oras_archive_free(box->archive);
    box->archive = NULL;
    if (box->has_fd)
        close(box->fd);
    box->has_fd = false;
    oras_dealloc(box->block);
    box->block = NULL;
    oras_buf_dispose(&box->collected);
    box->data = NULL;
    box->n_data = 0;
}

/* [-0, +0]: also called by __gc and __close, on a box that may be half made */
static int reader_close(lua_State *L)
{
    reader_box *box = luaL_checkudata(L, 1, READER);
    oras_body *body = box->body;

    box->body = NULL;
    reader_end(box);
    if (body)
        oras_body_close(body);
    return 0;
}

static reader_box *check_reader(lua_State *L)
{
    reader_box *box = luaL_checkudata(L, 1, READER);

    if (!box->archive)
        oras_lua_misuse(L, "the reader is closed");
    return box;
}

static void set_string(lua_State *L, const char *field, const char *value)
{
    if (!value)
        return;
    lua_pushstring(L, value);
    lua_setfield(L, -2, field);
}

static void set_integer(lua_State *L, const char *field, lua_Integer value)
{
    lua_pushinteger(L, value);
    lua_setfield(L, -2, field);
}

/* [-0, +1]; a size that is not known yet is -1 */
static void push_entry(lua_State *L, const oras_entry *entry)
{
    static const char *const types[] = {
        [ORAS_ENTRY_FILE] = "file",           [ORAS_ENTRY_DIRECTORY] = "directory",
        [ORAS_ENTRY_SYMLINK] = "symlink",     [ORAS_ENTRY_HARDLINK] = "hardlink",
        [ORAS_ENTRY_CHARACTER] = "character", [ORAS_ENTRY_BLOCK] = "block",
        [ORAS_ENTRY_FIFO] = "fifo",
    };

    lua_createtable(L, 0, 6);
    set_string(L, "path", entry->path);
    set_string(L, "type", types[entry->type]);
    set_string(L, "linkname", entry->linkname);
    set_integer(L, "size", entry->size);
    set_integer(L, "mode", (lua_Integer)entry->mode);
    set_integer(L, "mtime", entry->mtime);
}

static int next_k(lua_State *L, int status, lua_KContext ctx)
{
    reader_box *box = check_reader(L);
    oras_error err = ORAS_ERROR_INIT;
    oras_archive_step step;
    oras_entry entry;

    (void)status;
    while ((step = oras_archive_next(box->archive, &entry, &err)) == ORAS_STEP_MORE) {
        fed what = feed(box);

        if (what == FED_FAILED)
            return oras_lua_fail(L, &box->failure);
        if (what == FED_NOTHING_YET && !oras_lua_block(L, oras_body_signal(box->body)))
            return oras_lua_wait(L, oras_body_signal(box->body), ctx, next_k);
    }
    if (step == ORAS_STEP_FAILED)
        return oras_lua_fail(L, &err);
    box->in_entry = step == ORAS_STEP_ENTRY;
    if (step == ORAS_STEP_ENTRY)
        push_entry(L, &entry);
    else
        lua_pushnil(L);
    return 1;
}

static int reader_next(lua_State *L)
{
    reader_box *box = check_reader(L);

    box->in_entry = false;
    box->was_read = false;
    box->n_data = 0;
    oras_buf_clear(&box->collected);
    return next_k(L, LUA_OK, 0);
}

/* Move bytes of the entry to what is collected, at most up to `most` of them there. */
static void collect(reader_box *box, lua_Integer most)
{
    size_t n = box->n_data;

    if (most != ALL && n > (size_t)most - box->collected.size)
        n = (size_t)most - box->collected.size;
    if (n == 0)
        return;
    oras_buf_append(&box->collected, box->data, n);
    box->data += n;
    box->n_data -= n;
}

/* [-0, +1] */
static int give_collected(lua_State *L, reader_box *box)
{
    oras_error err = ORAS_ERROR_INIT;

    if (oras_buf_check(&box->collected, "the entry", &err))
        return oras_lua_fail(L, &err);
    lua_pushlstring(L, oras_buf_text(&box->collected), box->collected.size);
    if (box->collected.capacity > KEEP)
        oras_buf_dispose(&box->collected);
    oras_buf_clear(&box->collected);
    return 1;
}

/* The entry is over: what there is, or nil. An empty file is "" once, as for io.read("a"). */
static int give_rest(lua_State *L, reader_box *box, lua_Integer most)
{
    bool is_first = !box->was_read;

    box->was_read = true;
    if (box->collected.size || (most == ALL && is_first && box->in_entry))
        return give_collected(L, box);
    lua_pushnil(L);
    return 1;
}

static int read_k(lua_State *L, int status, lua_KContext ctx)
{
    reader_box *box = check_reader(L);
    lua_Integer most = (lua_Integer)ctx;
    oras_error err = ORAS_ERROR_INIT;

    (void)status;
    for (;;) {
        const void *data = NULL;
        oras_archive_step step;
        fed what;

        collect(box, most);
        if (box->collected.state != ORAS_BUF_OK || box->collected.size == (size_t)most) {
            box->was_read = true;
            return give_collected(L, box);
        }
        step = oras_archive_read(box->archive, &data, &box->n_data, &err);
        box->data = data;
        if (step == ORAS_STEP_DATA)
            continue;
        box->n_data = 0;
        if (step == ORAS_STEP_END)
            return give_rest(L, box, most);
        if (step == ORAS_STEP_FAILED)
            return oras_lua_fail(L, &err);
        what = feed(box);
        if (what == FED_FAILED)
            return oras_lua_fail(L, &box->failure);
        if (what == FED_NOTHING_YET && !oras_lua_block(L, oras_body_signal(box->body)))
            return oras_lua_wait(L, oras_body_signal(box->body), ctx, read_k);
    }
}

static int reader_read(lua_State *L)
{
    reader_box *box = check_reader(L);
    lua_Integer most = ALL;

    if (!lua_isnoneornil(L, 2)) {
        if (!lua_isinteger(L, 2) || (most = lua_tointeger(L, 2)) <= 0)
            oras_lua_misuse(L, "size to read is no whole number above 0");
    }
    oras_buf_clear(&box->collected);
    return read_k(L, LUA_OK, (lua_KContext)most);
}

static oras_code open_file(reader_box *box, const char *path, oras_error *err)
{
    int64_t size;
    oras_code code = oras_file_open(path, &box->fd, &size, err);

    if (code)
        return code;
    box->has_fd = true;
    box->block = oras_alloc(BLOCK);
    return box->block ? ORAS_OK : oras_fail_memory(err);
}

/* The source at 1 into the box at `idx`: a body, {path=} or {data=}. */
static oras_code take_source(lua_State *L, int idx, reader_box *box, oras_error *err)
{
    oras_code code = ORAS_OK;

    if (lua_istable(L, 1) && lua_getfield(L, 1, "path") == LUA_TSTRING) {
        code = open_file(box, oras_opt_string(L, 1, "path", ""), err);
    } else if (lua_istable(L, 1) && lua_getfield(L, 1, "data") == LUA_TSTRING) {
        box->text = lua_tolstring(L, -1, &box->n_text);
        lua_setiuservalue(L, idx, SOURCE);
    } else {
        box->body = oras_lua_test_body(L, 1);
        if (!box->body)
            oras_lua_misuse(L, "source is a %s, expected a body, {path=} or {data=}",
                            luaL_typename(L, 1));
        lua_pushvalue(L, 1);
        lua_setiuservalue(L, idx, SOURCE);
    }
    lua_settop(L, idx);
    return code;
}

static int archive_reader(lua_State *L)
{
    oras_packing packing = oras_lua_opt_packing(L, 2);
    oras_archive_limits limits = oras_lua_opt_limits(L, 2);
    oras_error err = ORAS_ERROR_INIT;
    reader_box *box;

    lua_settop(L, 2);
    box = oras_box_new(L, READER, sizeof *box, 1);
    oras_buf_init(&box->collected, SIZE_MAX - 1);
    if (limits.max_bytes)
        oras_buf_init(&box->collected, (size_t)limits.max_bytes);
    if (take_source(L, 3, box, &err) || oras_archive_new(packing, &limits, &box->archive, &err)) {
        reader_end(box);
        return oras_lua_fail(L, &err);
    }
    return 1;
}

void oras_lua_open_archive(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"pack", oras_lua_archive_pack}, {"reader", archive_reader}, {NULL, NULL}};
    static const luaL_Reg methods[] = {
        {"next", reader_next}, {"read", reader_read}, {"close", reader_close}, {NULL, NULL}};

    oras_box_type(L, READER, methods, reader_close);
    luaL_newlib(L, functions);
}
