/* SPDX-License-Identifier: MIT
 * Functions of the host's that providers call: oras_register, oras_reply_json. The Lua side is
 * lua/oras/functions.lua. */
#include "host/functions.h"

#include "base/alloc.h"
#include "bind/box.h"
#include "bind/lua_error.h"

#include <stdio.h>
#include <string.h>

#define NAME_MAX_BYTES 63
#define REPLY          "oras.reply"

typedef struct oras_registered {
    char name[NAME_MAX_BYTES + 1];
    oras_function fn;
    void *ud;
    struct oras_registered *next;
} oras_registered;

struct oras_reply {
    char *json; /* owned */
};

/* --- names -------------------------------------------------------------------------------- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_name(const char *text)
{
    size_t size = 0;

    for (; text[size]; size++) {
        bool is_digit = text[size] >= '0' && text[size] <= '9';

        if (size >= NAME_MAX_BYTES || (!is_letter(text[size]) && !(is_digit && size > 0)))
            return false;
    }
    return size > 0;
}

/* The place of a name in the list, or its end. */
static oras_registered **place_of(oras_runtime *rt, const char *name)
{
    oras_registered **at = &rt->functions;

    while (*at && strcmp((*at)->name, name) != 0)
        at = &(*at)->next;
    return at;
}

static void take_out(oras_registered **at)
{
    oras_registered *found = *at;

    if (!found)
        return;
    *at = found->next;
    oras_dealloc(found);
}

static oras_code put_in(oras_registered **at, const char *name, oras_function fn, void *ud,
                        oras_error *err)
{
    if (!*at) {
        oras_registered *made = oras_alloc_zero(1, sizeof *made);

        if (!made)
            return oras_fail_memory(err);
        memcpy(made->name, name, strlen(name));
        *at = made;
    }
    (*at)->fn = fn;
    (*at)->ud = ud;
    return ORAS_OK;
}

oras_code oras_register(oras_runtime *rt, const char *name, oras_function fn, void *ud,
                        oras_error *err)
{
    if (!rt || !name || !is_name(name))
        return oras_fail(err, ORAS_C_USAGE,
                         "a function's name is a Lua name of at most %d bytes, not '%s'",
                         NAME_MAX_BYTES, name ? name : "(null)");
    if (rt->n_callbacks > 0)
        return oras_fail(err, ORAS_C_USAGE, "no function can be registered from a callback");
    if (fn)
        return put_in(place_of(rt, name), name, fn, ud, err);
    take_out(place_of(rt, name));
    return ORAS_OK;
}

void oras_functions_free(oras_runtime *rt)
{
    while (rt->functions)
        take_out(&rt->functions);
}

/* --- what they give ----------------------------------------------------------------------- */

oras_code oras_reply_json(oras_reply *reply, const char *json, oras_error *err)
{
    char *copy;

    if (!reply || !json)
        return oras_fail(err, ORAS_C_USAGE, "a reply and its JSON are expected");
    copy = oras_strdup(json);
    if (!copy)
        return oras_fail_memory(err);
    oras_dealloc(reply->json);
    reply->json = copy;
    return ORAS_OK;
}

oras_code oras_error_set(oras_error *err, const char *class_name, const char *format, ...)
{
    char text[sizeof err->message];
    oras_class class = ORAS_C_SCRIPT;
    va_list args;

    if (class_name)
        oras_class_find(class_name, &class);
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return oras_fail(err, class, "%s", text);
}

/* The coarse code alone says the most general class that has it. */
static oras_class class_of_code(oras_code code, oras_class fallback)
{
    static const oras_class general[] = {
        [ORAS_ENOMEM] = ORAS_C_MEMORY,       [ORAS_EINVALID] = ORAS_C_USAGE,
        [ORAS_ENOTFOUND] = ORAS_C_NOT_FOUND, [ORAS_EAUTH] = ORAS_C_AUTH,
        [ORAS_EDIGEST] = ORAS_C_INTEGRITY,   [ORAS_EHTTP] = ORAS_C_SERVER,
        [ORAS_ENETWORK] = ORAS_C_NETWORK,    [ORAS_EIO] = ORAS_C_IO,
        [ORAS_ESCRIPT] = ORAS_C_SCRIPT,      [ORAS_ECANCELED] = ORAS_C_CANCELLED,
        [ORAS_EBLOCK] = ORAS_C_BLOCK};
    size_t at = (size_t)code;

    return code > ORAS_OK && at < sizeof general / sizeof general[0] ? general[at] : fallback;
}

void oras_functions_take_error(const oras_error *said, oras_class fallback, oras_error *err)
{
    oras_class class = class_of_code(said->code, fallback);
    size_t size = strnlen(said->message, sizeof said->message);

    if (said->class_name)
        oras_class_find(said->class_name, &class);
    if (size > 0)
        oras_fail(err, class, "%.*s", (int)size, said->message);
    else
        oras_fail(err, class, "the host's function failed");
    err->http_status = said->http_status;
    err->native = said->native;
}

/* --- being called ------------------------------------------------------------------------- */

static int reply_close(lua_State *L)
{
    oras_reply *reply = lua_touserdata(L, 1);

    oras_dealloc(reply->json);
    reply->json = NULL;
    return 0;
}

static oras_registered *find(oras_runtime *rt, const char *name)
{
    return rt ? *place_of(rt, name) : NULL;
}

int oras_functions_has(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);

    lua_pushboolean(L, find(oras_runtime_of(L), name) != NULL);
    return 1;
}

int oras_functions_call(lua_State *L)
{
    oras_runtime *rt = oras_runtime_of(L);
    const char *name = luaL_checkstring(L, 1), *args = luaL_checkstring(L, 2);
    const oras_registered *found = find(rt, name);
    oras_error said = ORAS_ERROR_INIT, err = ORAS_ERROR_INIT;
    oras_reply *reply;

    if (!found)
        return oras_lua_misuse(L, "the host has registered no function '%s'", name);
    oras_box_type(L, REPLY, NULL, reply_close);
    reply = oras_box_new(L, REPLY, sizeof *reply, 0);
    lua_toclose(L, -1);
    rt->n_callbacks++;
    said.code = found->fn(found->ud, args, reply, &said);
    rt->n_callbacks--;
    if (said.code) {
        oras_functions_take_error(&said, ORAS_C_SCRIPT, &err);
        return oras_lua_fail(L, &err);
    }
    lua_pushstring(L, reply->json);
    return 1;
}
