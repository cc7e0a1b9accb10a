--- oras-lua run by specs of commands, in a directory of its own.
local assert = require "luassert"
local helper = require "tests.spec.helper"
local json_keys = require "tests.spec.json_keys"
local process = require "tests.spec.process"
local services = require "tests.support.services"

local quote = process.quote

local commanding = {}

local n = 0

--- A directory, and a repository of docker-registry that nobody else uses.
---@return string dir
---@return string ref "host/repository"
function commanding.place(name)
  n = n + 1
  commanding.dir = helper.directory()
  local unique = commanding.dir:match "([^/]+)$":lower():gsub("[^a-z0-9]", "")
  return commanding.dir, ("%s/%s/%s%d"):format(assert(services.get "registry"), name, unique, n)
end

--- Run oras-lua in that directory, without a terminal; `input` is what is on its standard input.
---@return integer status
---@return string out
---@return string err
function commanding.run_with(input, ...)
  local words = { ("cd %s && DOCKER_CONFIG=/nonexistent setsid -w %s"):format(
    quote(commanding.dir), quote(process.oras_lua)) }
  for _, word in ipairs { ... } do
    words[#words + 1] = quote(word)
  end
  local from = os.tmpname()
  helper.write(from, input or "")
  local status, out, err = process.shell(table.concat(words, " ") .. " <" .. quote(from))
  os.remove(from)
  return status, out, err
end

--- What a run that succeeds and complains of nothing prints.
---@return string out
function commanding.good(...)
  local status, out, err = commanding.run_with(nil, ...)
  assert.same({ 0, "" }, { status, err })
  return out
end

--- The document of a run with --format json; its keys are the documented ones.
---@return any
function commanding.document(command, ...)
  return json_keys.check_text(command, commanding.good(...))
end

--- A run that fails with that code: one line on standard error, nothing on standard output.
---@return string err
function commanding.bad(expected, pattern, ...)
  local status, out, err = commanding.run_with(nil, ...)
  assert.same({ expected, "" }, { status, out })
  assert.matches(pattern, err)
  assert.equal(1, select(2, err:gsub("\n", "")), err)
  return err
end

--- Write a file of the directory.
function commanding.write(name, text)
  local dir = name:match "^(.*)/"
  if dir then
    process.sh("mkdir -p %s", commanding.dir .. "/" .. dir)
  end
  helper.write(commanding.dir .. "/" .. name, text)
end

--- Read a file of the directory; nil where there is none.
---@return string?
function commanding.read(name)
  return helper.read(commanding.dir .. "/" .. name)
end

return commanding
