local oras = require "oras"

local helper = require "tests.spec.helper"

describe("oras.digest", function()
  it("C04 takes a bad digest for the caller's mistake", function()
    for _, text in ipairs { "", "x", "sha256:", "sha256:zz", "md5:d41d8cd98f00b204e9800998ecf8427e" } do
      local _, err = oras.try(oras.digest.parse, text)
      assert.equal("usage", err.class)
      assert.matches("^digest.parse: ", err.message)
    end
    assert.equal("sha256", oras.digest.parse(oras.digest.of "").algorithm)
  end)

  it("gives one value", function()
    assert.equal(1, select("#", oras.digest.of ""))
    assert.equal(1, select("#", oras.Registry:new():get_container("ghcr.io/a/b:1"):manifest_url()))
  end)

  it("and archives say alike what is wrong with a path", function()
    local made = helper.directory()
    local function fails(fn, path)
      local _, err = oras.try(fn, path)
      assert.equal("io", err.class)
      return err.message
    end
    for _, fn in ipairs { oras.digest.of_file, oras.archive.list } do
      assert.matches("Is a directory", fails(fn, made))
      assert.matches("No such file or directory", fails(fn, made .. "/none"))
    end
    helper.clean()
  end)
end)
