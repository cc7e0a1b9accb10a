--- Unpacking under strace: calls that fail, are interrupted or are not there.
local oras = require "oras"

local helper = require "tests.spec.helper"
local process = require "tests.spec.process"

local SCRIPT <const> = [[
local overwrite = arg[3] ~= "new"
require("oras").archive.extract(arg[1], arg[2], { overwrite = overwrite, links = true, durable = arg[3] == "durable" })
]]

local directory

local function file(name)
  return directory .. "/" .. name
end

local function sh(command)
  local status, out, err = process.shell(("cd '%s' && %s"):format(directory, command))
  assert(status == 0, command .. ": " .. err)
  return out
end

-- Run the script under strace with injections; gives status, errors, and how often a call was
-- tampered with.
local function traced(injections, ...)
  local words = { "strace", "-f", "-qq", "-o", file "trace", "-e", "signal=none" }
  for _, injection in ipairs(injections) do
    words[#words + 1] = "-e"
    words[#words + 1] = "inject=" .. injection
  end
  for _, word in ipairs { process.oras_lua, helper.write(file "x.lua", SCRIPT), ... } do
    words[#words + 1] = word
  end
  for i, word in ipairs(words) do
    words[i] = process.quote(word)
  end
  local status, _, err = process.shell(table.concat(words, " ") .. " </dev/null")
  local _, count = helper.read(file "trace"):gsub("%(INJECTED%)", "")
  return status, err, count
end

local function look(path)
  return sh(("cd '%s' && find . -printf '%%y %%P %%l\\n' | sort && cat a/* b"):format(path))
end

local function traced_it(name, fn)
  it(name, function()
    if process.shell "strace -f -o /dev/null true" ~= 0 then
      return pending "strace is not there or may not trace"
    end
    fn()
  end)
end

describe("unpacking, and calls of the system", function()
  before_each(function()
    directory = helper.directory()
    sh [[mkdir -p in/a target && echo 1 >in/a/1 && echo 2 >in/a/2 && echo b >in/b && ln in/b in/hard &&
      ln -s a/1 in/l && tar -C in -czf t.gz a b hard l]]
  end)
  after_each(helper.clean)

  traced_it("L10: openat2 and renameat2 that are absent are done without", function()
    for _, errno in ipairs { "ENOSYS", "EPERM" } do
      local missing = { "openat2:error=" .. errno, "renameat2:error=" .. errno }
      local target = file("target/" .. errno)
      for _, mode in ipairs { "new", "over", "durable" } do
        local status, err, count = traced(missing, file "t.gz", target, mode)
        assert.equal("", err)
        assert.equal(0, status)
        assert.is_true(count > 0)
        assert.equal(look(file "in"), look(target))
      end
      local status, err = traced(missing, file "t.gz", target, "new")
      assert.equal(1, status)
      assert.matches("exists: ", err)
      sh(("rm -rf '%s'"):format(target))
    end
    assert.equal("", helper.list(file "target"))
  end)

  traced_it("L03: interrupted ones are made again", function()
    local status, err, count = traced({ "write:error=EINTR:when=1+2", "read:error=EINTR:when=40+7" }, file "t.gz",
      file "target/out")
    assert.equal("", err)
    assert.equal(0, status)
    assert.is_true(count > 0)
    assert.equal(look(file "in"), look(file "target/out"))
  end)

  traced_it("L01 L04: one that fails leaves nothing, or all of what was there", function()
    oras.archive.extract(file "t.gz", file "old", { links = true })
    local before = look(file "old")
    for _, call in ipairs { "mkdirat", "linkat", "symlinkat", "fchmod", "renameat2", "syncfs" } do
      local status, err, count = traced({ call .. ":error=ENOSPC" }, file "t.gz", file "target/out", "durable")
      assert.is_true(count > 0, call)
      assert.equal(1, status, call)
      assert.matches("io: ", err)
      assert.matches("No space left", err)
      assert.equal("", helper.list(file "target"), call)
      if call ~= "renameat2" and call ~= "fchmod" then
        traced({ call .. ":error=EIO" }, file "t.gz", file "old", "durable")
        assert.equal(before, look(file "old"), call)
      end
    end
  end)
end)
