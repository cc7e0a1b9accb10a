/* SPDX-License-Identifier: MIT
 * layout:fetch, a blob into a sink as a client's request brings one, and source:into, a source
 * into any sink. The stack of both: what called, digest or source, sink, box. */
#include "bind/body.h"
#include "bind/box.h"
#include "bind/layout.h"
#include "bind/lua_error.h"
#include "bind/sink.h"
#include "bind/source.h"
#include "io/feed.h"

#define FEED "oras.layout_feed"

enum { FEED_SINK = 1, FEED_SOURCE, FEED_N_VALUES = FEED_SOURCE }; /* user values */

/* A blob on its way into a sink: the layout's transfer. */
typedef struct feed_box {
    oras_context *context;
    oras_feed *feed;     /* NULL once over */
    oras_source *source; /* NULL once lost */
    bool owned;          /* it is the box's own */
    oras_sink *sink;     /* NULL once lost */
    oras_post post;
    oras_signal signal;  /* it is over */
    oras_signal *reader; /* of the body, once it is handed out; NULL before */
    bool is_done;
    bool kept; /* handed out as a body: leaving the function does not end it */
    oras_error failure;
} feed_box;

static void free_owned(feed_box *box)
{
    if (!box->owned)
        return;
    oras_source_free(box->source);
    box->source = NULL;
    box->owned = false;
}

static void feed_end(feed_box *box)
{
    if (!box->feed)
        return;
    if (box->sink)
        oras_sink_set_notify(box->sink, (oras_notify){NULL, NULL});
    if (box->source) {
        oras_source_set_notify(box->source, (oras_notify){NULL, NULL});
        oras_source_set_pool(box->source, NULL);
    }
    oras_loop_unpost(box->context->loop, &box->post);
    oras_feed_free(box->feed);
    box->feed = NULL;
    free_owned(box);
}

static void wake(feed_box *box)
{
    if (box->is_done)
        oras_signal_set(box->context, &box->signal);
    if (box->reader)
        oras_signal_set(box->context, box->reader);
}

static void lose(feed_box *box, const char *what)
{
    if (!box->is_done)
        oras_fail(&box->failure, ORAS_C_CANCELLED, "the %s was closed", what);
    box->is_done = true;
    wake(box);
}

/* The sink is closed, or goes to somebody else. */
static void on_sink_lost(void *ud)
{
    feed_box *box = ud;

    feed_end(box);
    box->sink = NULL;
    lose(box, "sink");
}

static void on_source_lost(void *ud)
{
    feed_box *box = ud;

    feed_end(box);
    box->source = NULL;
    lose(box, "source");
}

/* From any thread. */
static void on_notify(void *ud)
{
    feed_box *box = ud;

    oras_loop_post(box->context->loop, &box->post);
}

/* On the loop: a turn of the feed. */
static void on_post(void *ud)
{
    feed_box *box = ud;
    oras_error err = ORAS_ERROR_INIT;
    oras_feed_step_result result;

    if (!box->feed)
        return;
    result = oras_feed_step(box->feed, &err);
    if (result == ORAS_FEED_GO_ON)
        oras_loop_post(box->context->loop, &box->post);
    if (result == ORAS_FEED_FAILED)
        box->failure = err;
    if (result == ORAS_FEED_FAILED || result == ORAS_FEED_DONE) {
        box->is_done = true;
        feed_end(box);
    }
    wake(box);
}

/* Called for the to-be-closed slot and by the collector. */
static int feed_close(lua_State *L)
{
    feed_box *box = lua_touserdata(L, 1);

    if (box->kept) {
        box->kept = false;
        return 0;
    }
    feed_end(box);
    if (lua_getiuservalue(L, 1, FEED_SINK) == LUA_TUSERDATA)
        oras_lua_sink_release(L, -1, box);
    if (lua_getiuservalue(L, 1, FEED_SOURCE) == LUA_TUSERDATA)
        oras_lua_source_release(L, -1, box);
    free_owned(box);
    box->sink = NULL;
    box->source = NULL;
    return 0;
}

static oras_code stream_pull(void *ud, const void **data, size_t *size, bool *ended,
                             oras_error *err)
{
    feed_box *box = ud;
    oras_code code;

    *size = 0;
    *ended = false;
    if (!box->sink)
        return oras_fail(err, ORAS_C_CANCELLED, "the sink was closed");
    code = oras_sink_read(box->sink, data, size, ended, err);
    if (code || *size > 0 || *ended || !box->is_done || !box->failure.code)
        return code;
    if (err)
        *err = box->failure;
    return box->failure.code;
}

static void stream_close(void *ud)
{
    feed_box *box = ud;
    oras_signal *reader = box->reader;

    box->reader = NULL;
    if (box->feed && reader)
        oras_signal_set(box->context, reader); /* whoever waits finds the body closed */
    feed_end(box);
}

/* headers(name): a layout has none */
static int no_fields(lua_State *L)
{
    lua_newtable(L);
    return 1;
}

static void push_headers(lua_State *L)
{
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, no_fields);
    lua_setfield(L, -2, "__call");
    lua_setmetatable(L, -2);
}

/* The body of the fetch at 4 into the sink at 3: bytes, a stream, or nil. [-0, +1] */
static void push_body(lua_State *L, feed_box *box)
{
    static const oras_body_ops ops = {.pull = stream_pull, .close = stream_close};

    if (oras_sink_is_memory(box->sink)) {
        oras_lua_push_sink_body(L, 3);
    } else if (oras_sink_is_stream(box->sink)) {
        oras_body *body;

        lua_pushvalue(L, 4);
        body = oras_lua_push_body(L, &ops, box);
        box->reader = oras_body_signal(body);
        box->kept = true;
    } else {
        lua_pushnil(L);
    }
}

static int give_response(lua_State *L, feed_box *box)
{
    lua_createtable(L, 0, 4);
    lua_pushinteger(L, 200);
    lua_setfield(L, -2, "status");
    push_headers(L);
    lua_setfield(L, -2, "headers");
    lua_pushliteral(L, "oci:");
    lua_getiuservalue(L, 1, ORAS_LAYOUT_PATH);
    lua_pushliteral(L, "@");
    lua_pushvalue(L, 2);
    lua_concat(L, 4);
    lua_setfield(L, -2, "url");
    push_body(L, box);
    lua_setfield(L, -2, "body");
    return 1;
}

static int fetch_k(lua_State *L, int status, lua_KContext ctx)
{
    feed_box *box = (feed_box *)ctx;

    (void)status;
    lua_settop(L, 4);
    if (box->is_done && box->failure.code)
        return oras_lua_fail_blob(L, &box->failure);
    if (box->is_done || oras_sink_is_stream(box->sink))
        return give_response(L, box);
    box->signal.set = false;
    return oras_lua_wait(L, &box->signal, ctx, fetch_k);
}

/* The box at 4, to be closed when the function ends. */
static feed_box *push_box(lua_State *L, oras_context *context)
{
    feed_box *box = oras_box_new(L, FEED, sizeof *box, FEED_N_VALUES);

    box->context = context;
    box->sink = oras_lua_check_sink(L, 3);
    box->post = (oras_post){.fn = on_post, .ud = box};
    lua_pushvalue(L, 3);
    lua_setiuservalue(L, 4, FEED_SINK);
    lua_toclose(L, 4);
    return box;
}

static oras_code start(lua_State *L, feed_box *box, oras_error *err)
{
    const oras_notify notify = {on_notify, box};
    oras_code code = oras_feed_new(box->source, box->sink, &box->feed, err);

    if (code)
        return code;
    oras_lua_sink_take(L, 3, on_sink_lost, box);
    oras_sink_set_notify(box->sink, notify);
    oras_source_set_notify(box->source, notify);
    oras_source_set_pool(box->source, box->context->pool);
    oras_loop_post(box->context->loop, &box->post);
    return ORAS_OK;
}

/* layout:fetch(digest, sink) -> response */
int oras_lua_layout_fetch(lua_State *L)
{
    oras_layout *layout = oras_lua_check_layout(L, 1);
    oras_error err = ORAS_ERROR_INIT;
    oras_digest digest;
    feed_box *box;

    oras_lua_check_sink(L, 3);
    lua_settop(L, 3);
    box = push_box(L, oras_context_get(L));
    box->owned = true;
    if (oras_lua_check_digest(L, 2, &digest, &err) ||
        oras_layout_source(layout, &digest, &box->source, &err) || start(L, box, &err))
        return oras_lua_fail_blob(L, &err);
    return fetch_k(L, LUA_OK, (lua_KContext)box);
}

/* --- into ----------------------------------------------------------------------------------- */

static int into_k(lua_State *L, int status, lua_KContext ctx)
{
    feed_box *box = (feed_box *)ctx;
    const oras_expect *written;

    (void)status;
    lua_settop(L, 4);
    if (!box->is_done)
        return oras_lua_wait(L, &box->signal, ctx, into_k);
    if (box->failure.code)
        return oras_lua_fail(L, &box->failure);
    written = oras_sink_expected(box->sink);
    lua_pushstring(L, written->digest.text);
    lua_pushinteger(L, written->size);
    return 2;
}

/* The source at 2 is the caller's. */
static void take_source(lua_State *L, feed_box *box)
{
    box->source = oras_lua_check_source(L, 2);
    oras_lua_source_take(L, 2, on_source_lost, box);
    lua_pushvalue(L, 2);
    lua_setiuservalue(L, 4, FEED_SOURCE);
}

/* source:into(sink) -> digest, size: all of it, verified as the sink says */
int oras_lua_source_into(lua_State *L)
{
    oras_context *context = oras_context_get(L);
    oras_error err = ORAS_ERROR_INIT;
    feed_box *box;

    oras_lua_check_source(L, 1);
    oras_lua_check_sink(L, 2);
    lua_settop(L, 2);
    lua_pushvalue(L, 1);
    lua_insert(L, 1);
    box = push_box(L, context);
    take_source(L, box);
    if (start(L, box, &err))
        return oras_lua_fail(L, &err);
    return into_k(L, LUA_OK, (lua_KContext)box);
}

void oras_lua_layout_open_fetch(lua_State *L)
{
    oras_box_type(L, FEED, NULL, feed_close);
}
