--- The rooms of src/ include downwards only, and each library is seen by its room alone.
package.path = "tests/lint/lib/?.lua;" .. package.path
local lint = require "lint"

local RANK = { base = 1, oci = 2, io = 3, net = 4, bind = 5, host = 6, cli = 7 }

-- Prefix of a header's name -> patterns of the files that may include it.
local LIBRARIES = {
  { "curl/", { "^src/net/" } },
  { "openssl/", { "^src/net/", "^src/oci/digest" } },
  { "jansson", { "^src/oci/json", "^src/bind/lua_json" } },
  { "lua", { "^src/bind/", "^src/host/", "^include/oras_lua%.h$" } },
  { "lauxlib", { "^src/bind/", "^src/host/" } },
  { "archive", { "^src/io/" } },
  { "bzlib", { "^src/io/" } },
  { "zstd", { "^src/io/" } },
  { "isa-l", { "^src/io/" } },
  { "igzip", { "^src/io/" } },
}

local function library_problem(path, header)
  for _, library in ipairs(LIBRARIES) do
    if header:sub(1, #library[1]) == library[1] then
      for _, allowed in ipairs(library[2]) do
        if path:find(allowed) then
          return nil
        end
      end
      return ("<%s> belongs to %s"):format(header, table.concat(library[2], " "):gsub("%^", ""))
    end
  end
end

local function room_problem(path, header)
  local own = path:match "^src/(%w+)/"
  local room = header:match "^(%w+)/"

  if not own then
    return ("%q: a public header knows no room"):format(header)
  elseif not room then
    return ("%q does not name its room"):format(header)
  elseif not RANK[room] then
    return ("%q: there is no room %q"):format(header, room)
  elseif own == "cli" then
    return ("%q: cli includes <oras.h> only"):format(header)
  elseif RANK[room] > RANK[own] then
    return ("%q: an arrow from %s up to %s"):format(header, own, room)
  end
end

local function check(path, text)
  local problems = {}

  for number, line in lint.each_line(text) do
    local open, header = line:match '^%s*#%s*include%s*([<"])([^>"]+)[>"]'
    local problem
    if open == "<" then
      problem = library_problem(path, header)
    elseif open then
      problem = room_problem(path, header)
    end
    if problem then
      problems[#problems + 1] = ("%s:%d: %s"):format(path, number, problem)
    end
  end
  return problems
end

lint.self_test("rooms", check, {
  ["src/base/x.c"] = { '#include "oci/digest.h"', "#include <lua.h>", '#include "log.h"' },
  ["src/oci/x.c"] = { '#include "net/client.h"', "#include <openssl/evp.h>", "#include <curl/curl.h>" },
  ["src/net/x.h"] = { '#include "bind/box.h"', "  # include <lauxlib.h>" },
  ["src/cli/main.c"] = { '#include "base/buf.h"' },
  ["include/oras.h"] = { '#include "base/buf.h"', "#include <lua.h>" },
}, {
  ["src/oci/digest.c"] = "#include <openssl/evp.h>",
  ["src/net/client.c"] = '#include "io/sink.h"\n#include <curl/curl.h>\n#include "net/client.h"',
  ["src/cli/main.c"] = "#include <oras.h>\n#include <stdio.h>",
})
lint.over("rooms: src/ and include/ include downwards", lint.files("%.[ch]$", "src include"), check)
lint.finish()
