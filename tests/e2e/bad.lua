--- Bad input, twice: inside of this process by oras.try, and as a script of oras-lua's.
local oras = require "oras"

local assert = require "luassert"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"
local process = require "tests.spec.process"

local bad = {}

local REPOSITORY <const> = "bad/app"
local SECRET <const> = "canary+5f/secret"

-- One line, so that the code of a row begins in line 2 of its script.
local PRELUDE <const> = "local oras = require 'oras'; local x = oras.json.decode(arg[1]); "
  .. "local registry = oras.Registry:new { config_path = '/nonexistent', retry = { tries = 1 } }\n"

---@class tests.BadRow
---@field code string Lua; it has `oras`, `registry` and `x`, the values of bad.values
---@field class string
---@field says string|string[] plain texts that the message has
---@field setup? function gets x; may plant rules or change x
---@field left? string pattern for what stays in the directory of files; nothing by default
---@field repair? function gets the registry, before it is used again
---@field line? integer of the code where it is raised; 1 by default

--- What rows may use: a good artifact on the fault server, places, an empty directory.
---@return table
function bad.values()
  faults.reset()
  local made = faults.seed {
    repo = REPOSITORY, tag = "v1", layers = { { size = 5000, media_type = "application/octet-stream" } },
  }
  local dir = helper.directory()
  local host = faults.host "http"
  return {
    host = host,
    name = host .. "/" .. REPOSITORY,
    ref = host .. "/" .. REPOSITORY .. ":v1",
    path = "/v2/" .. REPOSITORY .. "/",
    digest = made.layers[1].digest,
    layer = made.layers[1].digest,
    size = 5000,
    absent = "sha256:" .. ("0"):rep(64),
    dir = dir,
    file = dir .. "/file",
    secret = SECRET,
  }
end

local function lines(text)
  return select(2, text:gsub("\n", ""))
end

local function check_text(text, row)
  local says = type(row.says) == "table" and row.says or { row.says }
  for _, word in ipairs(says) do
    assert.truthy(text:find(word, 1, true), ("%q is not in %q"):format(word, text))
  end
  assert.is_nil(text:find("canary", 1, true), text)
  assert.is_nil(text:find("Y2FuYXJ5", 1, true), text) -- the secret in base64
  assert.is_nil(text:find "[%c]", text)
  assert.is_true(#text < 700, text)
end

local function check_left(row, x)
  local names = helper.list(x.dir)
  if row.left then
    assert.matches(row.left, names)
  else
    assert.equal("", names)
  end
end

local function prepare(row)
  local x = bad.values()
  if row.setup then
    row.setup(x)
  end
  return x
end

--- Inside: an oras.Error of that class; the object works afterwards.
function bad.check_inside(row)
  local x = prepare(row)
  local registry = helper.registry { retry = { tries = 1 } }
  local fn = assert(load("local oras, registry, x = ...\n" .. row.code, "=row", "t"))
  local value, err = oras.try(fn, oras, registry, x)
  assert.truthy(err, ("nothing was raised but %s given"):format(tostring(value)))
  assert.equal(row.class, err.class, tostring(err))
  check_text(tostring(err), row)
  check_left(row, x)
  faults.reset { content = false }
  if row.repair then
    row.repair(registry)
  end
  assert.equal(x.size, #registry:get_blob(x.ref, x.layer).content)
  registry:get_manifest(x.ref)
end

--- Is it one line about the script's own line, and nothing on standard output?
function bad.check_end(row, script, x, status, out, err)
  assert.same({ 1, "" }, { status, out }, err)
  assert.equal(1, lines(err), err)
  local where = ("oras-lua: %s:%d: "):format(script, 1 + (row.line or 1))
  assert.equal(where, err:sub(1, #where))
  check_text(err:sub(1, -2), row)
  check_left(row, x)
end

--- As a script: one line, exit code 1.
function bad.check_script(row)
  local x = prepare(row)
  local script = helper.write(helper.directory() .. "/script.lua", PRELUDE .. row.code)
  local status, out, err = process.run(script, oras.json.encode(x))
  bad.check_end(row, script, x, status, out, err)
end

--- A script that is run by the shell; `command` gets x and the words of the program.
function bad.check_command(row, command)
  local x = prepare(row)
  local script = helper.write(helper.directory() .. "/script.lua", PRELUDE .. row.code)
  local words = ("%s %s %s </dev/null"):format(
    process.quote(process.oras_lua), process.quote(script), process.quote(oras.json.encode(x)))
  local status, out, err = process.shell(command(x, words))
  bad.check_end(row, script, x, status, out, err)
end

--- Both, for each row, with the row's name in what fails.
---@param rows tests.BadRow[]
function bad.check(rows)
  for i, row in ipairs(rows) do
    for _, check in ipairs { bad.check_inside, bad.check_script } do
      local ok, err = pcall(check, row)
      if not ok then
        local text = type(err) == "table" and err.message or err
        error(("row %d, %s\n%s"):format(i, row.code, tostring(text)), 0)
      end
    end
    helper.clean()
  end
end

return bad
