/* SPDX-License-Identifier: MIT */
#include "bind/archive_options.h"

#include "bind/box.h"
#include "bind/lua_error.h"

#include <string.h>

typedef struct named_packing {
    const char *name;
    oras_packing packing;
} named_packing;

static bool find(const named_packing *list, const char *name, oras_packing *out)
{
    for (; list->name; list++) {
        if (strcmp(list->name, name) == 0) {
            *out = list->packing;
            return true;
        }
    }
    return false;
}

/* By its structured suffix; docker's layers end in ".gzip". A plain layer promises a plain tar. */
static oras_packing of_media_type(const char *media_type)
{
    static const named_packing suffixes[] = {
        {"gzip", ORAS_PACKING_GZIP}, {"zstd", ORAS_PACKING_ZSTD}, {"bzip2", ORAS_PACKING_BZIP2},
        {"zip", ORAS_PACKING_ZIP},   {NULL, ORAS_PACKING_ANY},
    };
    oras_packing packing = ORAS_PACKING_ANY;
    const char *at = media_type + strlen(media_type);

    if (strcmp(media_type, "application/vnd.oci.image.layer.v1.tar") == 0)
        return ORAS_PACKING_NONE;
    while (at > media_type && *at != '+' && *at != '.')
        at--;
    if (*at == '+' || strcmp(at, ".gzip") == 0 || strcmp(at, ".zstd") == 0)
        find(suffixes, at + 1, &packing);
    return packing;
}

oras_packing oras_lua_opt_packing(lua_State *L, int idx)
{
    static const named_packing names[] = {
        {"any", ORAS_PACKING_ANY},         {"tar", ORAS_PACKING_NONE},
        {"tar+gzip", ORAS_PACKING_GZIP},   {"tar+zstd", ORAS_PACKING_ZSTD},
        {"tar+bzip2", ORAS_PACKING_BZIP2}, {"zip", ORAS_PACKING_ZIP},
        {NULL, ORAS_PACKING_ANY},
    };
    const char *name = oras_opt_string(L, idx, "packing", NULL);
    const char *media_type = oras_opt_string(L, idx, "media_type", NULL);
    oras_packing packing = ORAS_PACKING_ANY;

    if (!name && media_type)
        return of_media_type(media_type);
    if (name && !find(names, name, &packing))
        oras_lua_misuse(
            L, "packing '%.40s', expected any, tar, tar+gzip, tar+zstd, tar+bzip2 or zip", name);
    return packing;
}

static lua_Integer check_limit(lua_State *L, int idx, const char *field, lua_Integer most)
{
    lua_Integer value = oras_opt_integer(L, idx, field, 0);

    if (value < 0 || value > most)
        oras_lua_misuse(L, "option '%s' is out of range", field);
    return value;
}

oras_archive_limits oras_lua_opt_limits(lua_State *L, int idx)
{
    return (oras_archive_limits){
        .max_bytes = check_limit(L, idx, "max_bytes", INT64_MAX),
        .max_entries = check_limit(L, idx, "max_entries", INT64_MAX),
        .max_ratio = (int)check_limit(L, idx, "max_ratio", INT32_MAX),
        .max_depth = (int)check_limit(L, idx, "max_depth", INT32_MAX),
    };
}
