/* SPDX-License-Identifier: MIT
 * Build-time tool: write one C file that holds Lua files, as bytecode or as text.
 *
 *   embed code|stripped|text OUTPUT ARRAY ROOT FILE...
 *
 * FILE is relative to ROOT; "oras/auth/init.lua" becomes the entry "oras.auth" whose chunk is
 * named "=oras/auth/init.lua". The entries are sorted by their names. Text is checked too:
 * a mistake stops the build either way. */
#include <errno.h>
#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct entry {
    char name[128];
    const char *file;
} entry;

typedef struct job {
    bool as_text, stripped;
    const char *array, *root;
    char **files;
    size_t n_files;
    FILE *out;
} job;

static void name_entry(entry *e, const char *file)
{
    size_t size = strlen(file);

    if (size < 5 || size >= sizeof e->name || strcmp(file + size - 4, ".lua") != 0) {
        fprintf(stderr, "embed: '%s' is not a short name that ends in .lua\n", file);
        exit(1);
    }
    e->file = file;
    snprintf(e->name, sizeof e->name, "%.*s", (int)(size - 4), file);
    for (char *c = e->name; *c; c++) {
        if (*c == '/')
            *c = '.';
    }
    size = strlen(e->name);
    if (size > 5 && strcmp(e->name + size - 5, ".init") == 0)
        e->name[size - 5] = '\0';
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const entry *)a)->name, ((const entry *)b)->name);
}

/* Push the text of a file. [-0, +1] */
static void push_text(lua_State *L, const char *path)
{
    luaL_Buffer text;
    FILE *in = fopen(path, "rb");
    size_t got;

    if (!in)
        luaL_error(L, "cannot open '%s': %s", path, strerror(errno));
    luaL_buffinit(L, &text);
    do {
        got = fread(luaL_prepbuffer(&text), 1, LUAL_BUFFERSIZE, in);
        luaL_addsize(&text, got);
    } while (got == LUAL_BUFFERSIZE);
    fclose(in);
    luaL_pushresult(&text);
}

typedef struct printer {
    FILE *out;
    size_t column;
} printer;

static int print_bytes(lua_State *L, const void *data, size_t size, void *ud)
{
    const unsigned char *bytes = data;
    printer *p = ud;

    (void)L;
    for (size_t i = 0; i < size; i++)
        fprintf(p->out, "%s%u,", p->column++ % 24 ? "" : "\n", bytes[i]);
    return 0;
}

static void write_entry(lua_State *L, const job *j, const entry *e, size_t index)
{
    const char *path = lua_pushfstring(L, "%s/%s", j->root, e->file);
    const char *chunk = lua_pushfstring(L, "=%s", e->file);
    printer p = {j->out, 0};
    size_t size;
    const char *text;

    push_text(L, path);
    text = lua_tolstring(L, -1, &size);
    if (luaL_loadbufferx(L, text, size, chunk, "t") != LUA_OK)
        lua_error(L);
    fprintf(j->out, "static const unsigned char data_%zu[] = {", index);
    if (j->as_text)
        print_bytes(L, text, size, &p);
    else
        lua_dump(L, print_bytes, &p, j->stripped);
    fprintf(j->out, "\n};\n");
}

static int write_all(lua_State *L)
{
    const job *j = lua_touserdata(L, 1);
    entry *entries = lua_newuserdatauv(L, (j->n_files + 1) * sizeof *entries, 0);

    lua_replace(L, 1);
    for (size_t i = 0; i < j->n_files; i++)
        name_entry(&entries[i], j->files[i]);
    qsort(entries, j->n_files, sizeof *entries, by_name);
    fprintf(j->out, "/* made by embed; do not edit */\n#include \"host/embedded.h\"\n\n");
    for (size_t i = 0; i < j->n_files; i++) {
        write_entry(L, j, &entries[i], i);
        lua_settop(L, 1);
    }
    fprintf(j->out, "const oras_embedded %s[] = {\n", j->array);
    for (size_t i = 0; i < j->n_files; i++)
        fprintf(j->out, "    {\"%s\", data_%zu, sizeof data_%zu},\n", entries[i].name, i, i);
    fprintf(j->out, "    {0, 0, 0},\n};\nconst size_t %s_count = %zu;\n", j->array, j->n_files);
    return 0;
}

static int run(lua_State *L, const char *output, job *j)
{
    int failed;

    j->out = fopen(output, "wb");
    if (!j->out) {
        fprintf(stderr, "embed: cannot write '%s'\n", output);
        return 1;
    }
    lua_pushcfunction(L, write_all);
    lua_pushlightuserdata(L, j);
    failed = lua_pcall(L, 1, 0, 0) != LUA_OK;
    if (failed)
        fprintf(stderr, "embed: %s\n", lua_tostring(L, -1));
    failed |= fclose(j->out) != 0;
    if (failed)
        remove(output);
    return failed;
}

int main(int argc, char **argv)
{
    lua_State *L = luaL_newstate();
    int failed;

    if (argc < 5 || !L) {
        fprintf(stderr, "usage: embed code|stripped|text OUTPUT ARRAY ROOT FILE...\n");
        return 2;
    }
    failed = run(L, argv[2],
                 &(job){.as_text = strcmp(argv[1], "text") == 0,
                        .stripped = strcmp(argv[1], "stripped") == 0,
                        .array = argv[3],
                        .root = argv[4],
                        .files = argv + 5,
                        .n_files = (size_t)argc - 5});
    lua_close(L);
    return failed;
}
