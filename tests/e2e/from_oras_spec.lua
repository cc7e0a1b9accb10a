--- Is docs/from-oras.md true? It is made again and compared; ORAS_TEST_WRITE=1 writes it, and what oras
--- says of itself.
local from_oras = require "tests.e2e.from_oras"
local helper = require "tests.spec.helper"
local oras = require "oras"

local function program()
  local path = (os.getenv "ORAS_TEST_PEERS" or os.getenv "HOME" .. "/.cache/oras-lua/peers") .. "/oras"
  local file = io.open(path, "rb")
  return file and file:close() and path
end

local function is_writing()
  return os.getenv "ORAS_TEST_WRITE" == "1"
end

describe("docs/from-oras.md", function()
  it("is made of what oras says of itself", function()
    if not program() then
      return pending "oras is not among the peers"
    end
    local asked = oras.json.encode(from_oras.ask(program()), { indent = 2 }) .. "\n"
    if is_writing() then
      helper.write(from_oras.FLAGS, asked)
    end
    assert.equal(asked, helper.read(from_oras.FLAGS), "ORAS_TEST_WRITE=1 writes it anew")
  end)

  it("knows all commands and flags", function()
    local known = from_oras.known()
    assert.equal("1.3.6", known.version)
    assert.is_true(#known.commands >= 25)
    for _, entry in ipairs(known.commands) do
      assert.is_true(#entry.flags > 0, entry.name)
    end
  end)

  it("says of each of them what it is here, and why", function()
    local text, problems = from_oras.page(from_oras.known())
    if is_writing() then
      helper.write(from_oras.PAGE, text)
    end
    assert.same({}, problems)
    assert.equal(text, helper.read(from_oras.PAGE), "ORAS_TEST_WRITE=1 writes it anew")
  end)
end)
