/* SPDX-License-Identifier: MIT
 * Archives that are written. */
#ifndef ORAS_BIND_PACK_H
#define ORAS_BIND_PACK_H

#include <lua.h>

/** Lua: archive.pack{path, prefix, compression, level, mtime, max_entries, target} -> source. */
int oras_lua_archive_pack(lua_State *L);

/** Lua: source:content() -> digest and size of the tar in it; nil before its end, and for
 * sources of other kinds. */
int oras_lua_source_content(lua_State *L);

#endif
