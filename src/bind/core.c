/* SPDX-License-Identifier: MIT
 * Assembles oras.core from the tables of this room. */
#include "bind/core.h"
#include "bind/lua_error.h"
#include "bind/lua_main.h"
#include "bind/tables.h"

static const struct {
    const char *name;
    void (*open)(lua_State *L);
} tables[] = {
    {"archive", oras_lua_open_archive},
    {"auth", oras_lua_open_auth},
    {"base64", oras_lua_open_base64},
    {"client", oras_lua_open_client},
    {"clock", oras_lua_open_clock},
    {"digest", oras_lua_open_digest},
    {"file", oras_lua_open_file},
    {"headers", oras_lua_open_headers},
    {"json", oras_lua_open_json},
    {"layout", oras_lua_open_layout},
    {"log", oras_lua_open_log},
    {"path", oras_lua_open_path},
    {"process", oras_lua_open_process},
    {"progress", oras_lua_open_progress},
    {"reference", oras_lua_open_reference},
    {"sandbox", oras_lua_open_sandbox},
    {"sink", oras_lua_open_sink},
    {"source", oras_lua_open_source},
    {"task", oras_lua_open_task},
    {"terminal", oras_lua_open_terminal},
    {"url", oras_lua_open_url},
};

#define N_TABLES ((int)(sizeof tables / sizeof tables[0]))

/* What Go calls the architecture that this was compiled for. */
#if defined(__x86_64__)
#define ARCHITECTURE "amd64"
#elif defined(__aarch64__)
#define ARCHITECTURE "arm64"
#elif defined(__arm__)
#define ARCHITECTURE "arm"
#elif defined(__i386__)
#define ARCHITECTURE "386"
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
#define ARCHITECTURE "ppc64le"
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCHITECTURE "riscv64"
#elif defined(__s390x__)
#define ARCHITECTURE "s390x"
#elif defined(__mips64)
#define ARCHITECTURE "mips64le"
#elif defined(__loongarch64)
#define ARCHITECTURE "loong64"
#else
#define ARCHITECTURE "unknown"
#endif

int luaopen_oras_core(lua_State *L)
{
    luaL_checkversion(L);
    lua_createtable(L, 0, N_TABLES + 4);
    for (int i = 0; i < N_TABLES; i++) {
        tables[i].open(L);
        lua_setfield(L, -2, tables[i].name);
    }
    lua_pushliteral(L, ORAS_VERSION);
    lua_setfield(L, -2, "version");
    lua_pushliteral(L, ARCHITECTURE);
    lua_setfield(L, -2, "architecture");
    oras_lua_push_error_metatable(L);
    lua_setfield(L, -2, "error");
    lua_pushcfunction(L, oras_lua_is_main);
    lua_setfield(L, -2, "is_main");
    return 1;
}
