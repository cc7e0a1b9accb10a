/* SPDX-License-Identifier: MIT
 * What options say of an archive: how it is packed, how much it may unpack to. */
#ifndef ORAS_BIND_ARCHIVE_OPTIONS_H
#define ORAS_BIND_ARCHIVE_OPTIONS_H

#include "io/archive.h"

#include <lua.h>

/** `packing` of the options at idx, else what `media_type` promises, else any. Raises for a
 * packing that is none. [-0, +0] */
oras_packing oras_lua_opt_packing(lua_State *L, int idx);

/** `max_bytes`, `max_entries`, `max_ratio`, `max_depth`; raises for one out of range. [-0, +0] */
oras_archive_limits oras_lua_opt_limits(lua_State *L, int idx);

#endif
