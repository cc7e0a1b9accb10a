/* SPDX-License-Identifier: MIT
 * What a pull plans of a manifest's bytes: refused as a whole, or each layer is to be written
 * under a name of its own inside of the directory, or it is listed with a reason. */
#include "fuzz.h"
#include "host/runtime.h"

#include <lauxlib.h>

static const char script[] =
    "local raw = ...\n"
    "local core, manifest = require 'oras.core', require 'oras.manifest'\n"
    "local plan, errors = require 'oras.registry.pull_plan', require 'oras.error'\n"
    "local function try(classes, fn, ...)\n"
    "  local good, found = pcall(fn, ...)\n"
    "  if good then return found end\n"
    "  assert(errors.is_error(found), tostring(found))\n"
    "  assert(classes[found.class], tostring(found))\n"
    "  assert(not tostring(found):find '[\\r\\n]', 'more than a line')\n"
    "end\n"
    "local function check_title(title, titles)\n"
    "  assert(title ~= '' and #title < 4096 and not title:find '%c', title)\n"
    "  assert(('/' .. title .. '/'):find '//' == nil, title)\n"
    "  for part in title:gmatch '[^/]+' do assert(part ~= '.' and part ~= '..' and #part < 256, "
    "title) end\n"
    "  for slash in title:gmatch '()/' do assert(not titles[title:sub(1, slash - 1)], title) end\n"
    "end\n"
    /* what names blobs without titles may ask for a config: here it is the same bytes */
    "local registry = {get_config = function() return (core.json.decode(raw)) end}\n"
    "local place = {uri = 'place', with_digest = function(self) return self end}\n"
    "local function check(doc, opts)\n"
    "  local planned = try({path = true, exists = true}, plan.new, registry, place, "
    "{{container = place, doc = doc}}, opts)\n"
    "  if not planned then return end\n"
    "  local titles, n = {}, #planned.entries + #planned.skipped\n"
    "  for _, entry in ipairs(planned.entries) do\n"
    "    assert(not titles[entry.title], entry.title)\n"
    "    titles[entry.title] = entry\n"
    "  end\n"
    "  for title in pairs(titles) do check_title(title, titles) end\n"
    "  for _, skipped in ipairs(planned.skipped) do assert(skipped.reason and skipped.descriptor) "
    "end\n"
    "  assert(n >= #doc.layers and n <= #doc.layers + 2, n)\n"
    "end\n"
    "local classes = {content = true, integrity = true, limit = true}\n"
    "local digest = core.digest.of(raw)\n"
    "local doc = try(classes, manifest.new, {raw = raw, digest = digest})\n"
    "if not doc or manifest.is_index(doc) or type(doc.layers) ~= 'table' then return end\n"
    "for _, opts in ipairs {{}, {portable = false, unpack = 'all'}, {config_path = 'config.json'}, "
    "{untitled = true}} do\n"
    "  check(doc, opts)\n"
    "end\n";

/* One runtime for all inputs, with the function on its stack. */
static lua_State *start(void)
{
    oras_runtime *rt;
    oras_error err = ORAS_ERROR_INIT;

    REQUIRE(oras_runtime_new(NULL, &rt, &err) == ORAS_OK);
    REQUIRE(luaL_loadbufferx(rt->L, script, sizeof script - 1, "=plan", "t") == LUA_OK);
    return rt->L;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static lua_State *L;
    int top;

    if (!L)
        L = start();
    top = lua_gettop(L);
    lua_pushvalue(L, top);
    lua_pushlstring(L, (const char *)data, size);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
        fprintf(stderr, "%s\n", luaL_tolstring(L, -1, NULL));
        abort();
    }
    lua_settop(L, top);
    return 0;
}
