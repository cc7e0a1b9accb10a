/* SPDX-License-Identifier: MIT
 * oras.core.client: new, and client:request, one exchange. */
#include "base/log.h"
#include "bind/box.h"
#include "bind/exchange.h"
#include "bind/lua_error.h"
#include "bind/sink.h"
#include "bind/source.h"
#include "bind/tables.h"

#include <stdio.h>

#define CLIENT     "oras.client"
#define EXCHANGE   "oras.exchange"

#define MAX_PLACES 1000 /* of hosts that the caller knows */

typedef struct client_box {
    oras_client *client;
} client_box;

static int client_close(lua_State *L)
{
    client_box *box = lua_touserdata(L, 1);

    oras_client_unref(box->client);
    box->client = NULL;
    return 0;
}

/* Push "theirs oras-lua/0.1.0", or nil for the default. [-0, +1] */
static const char *push_user_agent(lua_State *L, const char *wanted, const char *host)
{
    if (wanted)
        return lua_pushstring(L, wanted);
    if (host)
        return lua_pushfstring(L, "%s oras-lua/0.1.0", host);
    lua_pushnil(L);
    return NULL;
}

/* Strings of the list that is the field `resolve`, which keeps them; a list is pushed. [-0, +1] */
static const char *const *check_places(lua_State *L, int *n)
{
    const char **places;

    if (lua_getfield(L, 1, "resolve") == LUA_TNIL)
        return NULL;
    luaL_checktype(L, -1, LUA_TTABLE);
    *n = (int)luaL_len(L, -1);
    if (*n > MAX_PLACES)
        oras_lua_misuse(L, "resolve has %d entries, at most %d", *n, MAX_PLACES);
    places = lua_newuserdatauv(L, ((size_t)*n + 1) * sizeof *places, 0);
    for (int i = 0; i < *n; i++) {
        if (lua_rawgeti(L, -2, i + 1) != LUA_TSTRING)
            oras_lua_misuse(L, "resolve has a %s, expected texts", luaL_typename(L, -1));
        places[i] = lua_tostring(L, -1);
        lua_pop(L, 1);
    }
    lua_remove(L, -2);
    return places;
}

/* new{ca_file, verify, cert, key, origin, proxy, user_agent, per_host, resolve} */
static int client_new(lua_State *L)
{
    const oras_context *context = oras_context_get(L);
    oras_client_options options = {0};
    oras_error err = ORAS_ERROR_INIT;
    client_box *box;

    lua_settop(L, 1);
    options.ca_file = oras_opt_string(L, 1, "ca_file", context->ca_file);
    options.insecure = !oras_opt_boolean(L, 1, "verify", 1);
    options.cert = oras_opt_string(L, 1, "cert", NULL);
    options.key = oras_opt_string(L, 1, "key", NULL);
    options.cert_origin = oras_opt_string(L, 1, "origin", NULL);
    options.proxy = oras_opt_string(L, 1, "proxy", NULL);
    options.per_host = (int)oras_opt_integer(L, 1, "per_host", 0);
    options.user_agent =
        push_user_agent(L, oras_opt_string(L, 1, "user_agent", NULL), context->user_agent);
    options.resolve = check_places(L, &options.n_resolve);
    box = oras_box_new(L, CLIENT, sizeof *box, 0);
    if (oras_client_new(context->loop, &options, &box->client, &err))
        return oras_lua_fail(L, &err);
    return 1;
}

/* Called for the to-be-closed slot of client:request and by the collector. */
static int exchange_close(lua_State *L)
{
    oras_exchange *exchange = lua_touserdata(L, 1);

    if (exchange->kept) {
        exchange->kept = false;
        return 0;
    }
    oras_transfer_free(exchange->transfer);
    exchange->transfer = NULL;
    if (lua_getiuservalue(L, 1, EXCHANGE_SINK) == LUA_TUSERDATA)
        oras_lua_sink_release(L, -1, exchange);
    lua_getiuservalue(L, 1, EXCHANGE_BODY);
    oras_lua_source_release(L, -1, exchange);
    return 0;
}

/* The source is closed, or another exchange goes on with it. */
static void on_source_lost(void *ud)
{
    oras_exchange *exchange = ud;

    if (exchange->transfer)
        oras_transfer_cancel(exchange->transfer);
    exchange->is_done = true; /* a cancelled transfer has no event of its own */
    oras_signal_set(exchange->context, &exchange->signal);
    if (exchange->reader)
        oras_signal_set(exchange->context, exchange->reader);
}

/* The same for the sink. */
static void on_sink_lost(void *ud)
{
    oras_exchange *exchange = ud;

    on_source_lost(exchange);
    exchange->sink = NULL;
}

/* From the loop, perhaps from inside curl: only note and wake. */
static void on_event(void *ud, oras_event event)
{
    oras_exchange *exchange = ud;
    bool wake = event == ORAS_EVENT_DONE;

    if (event == ORAS_EVENT_DONE)
        exchange->is_done = true;
    if (event == ORAS_EVENT_HEADERS && exchange->streams)
        wake = exchange->has_headers = true;
    if (event == ORAS_EVENT_PROGRESS && exchange->has_progress)
        wake = exchange->progress_due = true;
    if (wake)
        oras_signal_set(exchange->context, &exchange->signal);
    if (exchange->reader && event != ORAS_EVENT_PROGRESS)
        oras_signal_set(exchange->context, exchange->reader);
}

static void set_text(lua_State *L, const char *field, const char *value)
{
    lua_pushstring(L, value);
    lua_setfield(L, -2, field);
}

static void set_url(lua_State *L, const char *url)
{
    oras_buf *clean = oras_box_buffer(L, (size_t)64 * 1024);

    oras_redact(url, clean);
    lua_pushlstring(L, oras_buf_text(clean), clean->size);
    lua_setfield(L, -3, "url");
    lua_closeslot(L, -1);
    lua_pop(L, 1);
}

/* nil and an error object that knows its request. */
static int fail(lua_State *L, const oras_transfer *transfer, const oras_error *err)
{
    oras_lua_fail(L, err);
    set_text(L, "method", oras_transfer_method(transfer));
    set_url(L, oras_transfer_url(transfer));
    if (oras_transfer_status(transfer) > 0) {
        lua_pushinteger(L, oras_transfer_status(transfer));
        lua_setfield(L, -2, "status");
    }
    lua_pushboolean(L, oras_transfer_is_retryable(transfer));
    lua_setfield(L, -2, "retryable");
    return 2;
}

/* A stream is handed out early, but an answer that is no success only when it is complete. */
static bool is_stream(const oras_exchange *exchange)
{
    return exchange->has_headers && oras_transfer_status(exchange->transfer) / 100 == 2;
}

static int give_response(lua_State *L, const oras_exchange *exchange)
{
    oras_error err = ORAS_ERROR_INIT;

    if (!is_stream(exchange) && oras_transfer_result(exchange->transfer, &err))
        return fail(L, exchange->transfer, &err);
    oras_exchange_push_response(L, 3);
    return 1;
}

static int go_on(lua_State *L, int status, lua_KContext ctx);

/* It may raise, which ends the transfer; wait, for other requests too; or yield. */
static void call_progress(lua_State *L, oras_exchange *exchange)
{
    int64_t done, total;

    exchange->progress_due = false;
    oras_transfer_progress(exchange->transfer, &done, &total);
    if (exchange->is_done) {
        exchange->progress_ended = true;
        total = done;
    }
    lua_getiuservalue(L, 3, EXCHANGE_PROGRESS);
    lua_pushinteger(L, done);
    lua_pushinteger(L, total);
    lua_callk(L, 2, 0, (lua_KContext)exchange, go_on);
}

/* A body that came whole is told at its end, too: however short its transfer was. */
static bool owes_progress(const oras_exchange *exchange)
{
    oras_error err = ORAS_ERROR_INIT;

    return exchange->has_progress && !exchange->progress_ended && !exchange->streams &&
           oras_transfer_status(exchange->transfer) / 100 == 2 &&
           *oras_transfer_method(exchange->transfer) != 'H' &&
           !oras_transfer_result(exchange->transfer, &err);
}

static int go_on(lua_State *L, int status, lua_KContext ctx)
{
    oras_exchange *exchange = (oras_exchange *)ctx;

    (void)status;
    for (;;) {
        lua_settop(L, 3);
        if (!exchange->transfer) /* whoever was told of progress has freed the runtime */
            oras_lua_misuse(L, "the runtime is closed");
        exchange->signal.set = false;
        if (is_stream(exchange) || (exchange->is_done && !owes_progress(exchange)))
            return give_response(L, exchange);
        if (exchange->progress_due || exchange->is_done)
            call_progress(L, exchange);
        else if (!oras_lua_block(L, &exchange->signal))
            return oras_lua_wait(L, &exchange->signal, ctx, go_on);
    }
}

static oras_code start(lua_State *L, oras_exchange *exchange, oras_error *err)
{
    bool head = *oras_transfer_method(exchange->transfer) == 'H';
    oras_code code = oras_exchange_read_spec(L, 2, 3, err);

    if (code)
        return code;
    lua_getiuservalue(L, 3, EXCHANGE_SINK);
    oras_lua_sink_take(L, -1, on_sink_lost, exchange);
    lua_getiuservalue(L, 3, EXCHANGE_BODY);
    if (oras_lua_is_source(L, -1))
        oras_lua_source_take(L, -1, on_source_lost, exchange);
    lua_pop(L, 2);
    return oras_transfer_start(exchange->transfer, head ? NULL : exchange->sink, on_event, exchange,
                               err);
}

/* client:request(spec) -> response */
static int client_request(lua_State *L)
{
    client_box *client = luaL_checkudata(L, 1, CLIENT);
    oras_error err = ORAS_ERROR_INIT;
    oras_exchange *exchange;
    const char *method, *url;

    luaL_checktype(L, 2, LUA_TTABLE);
    if (!client->client)
        oras_lua_misuse(L, "client is closed");
    lua_settop(L, 2);
    method = oras_opt_string(L, 2, "method", "GET");
    url = oras_opt_string(L, 2, "url", NULL);
    if (!url)
        oras_lua_misuse(L, "request has no url");
    exchange = oras_box_new(L, EXCHANGE, sizeof *exchange, EXCHANGE_N_VALUES);
    exchange->context = oras_context_get(L);
    if (oras_transfer_new(client->client, method, url, &exchange->transfer, &err))
        return oras_lua_fail(L, &err);
    lua_toclose(L, 3);
    if (start(L, exchange, &err))
        return fail(L, exchange->transfer, &err);
    return go_on(L, LUA_OK, (lua_KContext)exchange);
}

void oras_lua_open_client(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"request", client_request}, {"close", client_close}, {NULL, NULL}};
    static const luaL_Reg functions[] = {{"new", client_new}, {NULL, NULL}};

    oras_box_type(L, CLIENT, methods, client_close);
    oras_box_type(L, EXCHANGE, NULL, exchange_close);
    oras_exchange_open_types(L);
    luaL_newlib(L, functions);
}
