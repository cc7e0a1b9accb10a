/* SPDX-License-Identifier: MIT
 * One function a table of oras.core; each pushes its table. [-0, +1] */
#ifndef ORAS_BIND_TABLES_H
#define ORAS_BIND_TABLES_H

#include <lua.h>

/** Push the table of that name. */
void oras_lua_open_archive(lua_State *L);
void oras_lua_open_auth(lua_State *L);
void oras_lua_open_base64(lua_State *L);
void oras_lua_open_client(lua_State *L);
void oras_lua_open_clock(lua_State *L);
void oras_lua_open_digest(lua_State *L);
void oras_lua_open_file(lua_State *L);
void oras_lua_open_headers(lua_State *L);
void oras_lua_open_json(lua_State *L);
void oras_lua_open_layout(lua_State *L);
void oras_lua_open_log(lua_State *L);
void oras_lua_open_path(lua_State *L);
void oras_lua_open_process(lua_State *L);
void oras_lua_open_progress(lua_State *L);
void oras_lua_open_reference(lua_State *L);
void oras_lua_open_sandbox(lua_State *L);
void oras_lua_open_sink(lua_State *L);
void oras_lua_open_source(lua_State *L);
void oras_lua_open_task(lua_State *L);
void oras_lua_open_terminal(lua_State *L);
void oras_lua_open_url(lua_State *L);

#endif
