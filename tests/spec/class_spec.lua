local oras = require "oras"

local Registry = oras.Registry

describe("a class", function()
  it("inherits methods and data from its parent and its parent's parent", function()
    local A = Registry:extend "A"
    function A.hello()
      return "A"
    end
    A.colour = "red"
    local B = A:extend "B"
    local b = B:new()

    assert.equal("A", b:hello())
    assert.equal("red", b.colour)
    assert.is_function(b.get_manifest)
  end)

  it("reaches an overridden method through super by name, in grandchildren too", function()
    local A = Registry:extend "A"
    function A:name()
      return "A" .. (self.mark or "")
    end
    local B = A:extend "B"
    function B:name()
      return B.super.name(self) .. "B"
    end
    local C = B:extend "C"
    function C:name()
      return C.super.name(self) .. "C"
    end
    local c = C:new()
    c.mark = "!"

    assert.equal("A!BC", c:name())
  end)

  it("makes the same kind of object when it is called", function()
    local A = Registry:extend "A"
    assert.is_true(A {}:is_a(A))
    assert.equal("ghcr.io", A { hostname = "ghcr.io" }.hostname)
  end)

  it("knows what it is a kind of", function()
    local A = Registry:extend "A"
    local B = A:extend "B"
    local b = B:new()

    assert.is_true(b:is_a(B))
    assert.is_true(b:is_a(A))
    assert.is_true(b:is_a(Registry))
    assert.is_true(B:is_a(Registry))
    assert.is_false(A:new():is_a(B))
    assert.is_false(b:is_a {})
  end)

  it("shows its name and host, no address and no secret", function()
    local A = Registry:extend "Mirror"
    local a = A:new { hostname = "ghcr.io" }
    a:set_basic_auth("user", "hunter2")

    assert.equal("Mirror (ghcr.io)", tostring(a))
    assert.equal("class Mirror", tostring(A))
  end)

  it("gives its metamethods to its subclasses", function()
    local A = Registry:extend "A"
    function A.__len()
      return 42
    end
    assert.equal(42, #A:extend("B"):new())
  end)

  it("calls init with the arguments, which a subclass may override", function()
    local A = Registry:extend "A"
    function A:init(opts, extra)
      A.super.init(self, opts)
      self.extra = extra
    end
    local a = A:new({ hostname = "ghcr.io" }, "more")

    assert.equal("more", a.extra)
    assert.equal("ghcr.io", a.hostname)
  end)

  it("works when an override of init forgets its super", function()
    local A = Registry:extend "A"
    function A.init() end
    assert.equal("oci:x:y", A:new():get_container("oci:x:y").uri)
  end)

  it("takes a method that is put on one object only", function()
    local a, b = Registry:new(), Registry:new()
    function a.get_container()
      return "mine"
    end
    assert.equal("mine", a:get_container("x/y"))
    assert.not_equal("mine", b:get_container("x/y"))
  end)

  it("adopts a bare table with __index when new is called on it", function()
    local Bare = setmetatable({}, { __index = Registry })
    function Bare.hello()
      return "bare"
    end
    local object = Bare:new { hostname = "ghcr.io" }

    assert.equal("bare", object:hello())
    assert.is_true(object:is_a(Registry))
    assert.is_true(object:is_a(Bare))
    assert.equal("Registry (ghcr.io)", tostring(object))
    assert.is_true(Bare { hostname = "ghcr.io" }:is_a(Bare))
  end)

  it("adopts a bare table below a bare table, and extends one", function()
    local A = setmetatable({}, { __index = Registry })
    local B = setmetatable({ options = { colour = "string" } }, { __index = A })

    assert.equal("red", B:new({ colour = "red" })._settings.colour)
    assert.is_true(B:new():is_a(A))
    assert.is_true(A:extend("C"):new():is_a(A))
  end)

  it("takes the options of all classes above it, and no others", function()
    local A = Registry:extend "A"
    A.options = { channel = "string" }
    local B = A:extend "B"
    B.options = { depth = "integer" }

    B:new { channel = "main", depth = 3, hostname = "ghcr.io" }
    local _, err = oras.try(B.new, B, { chanel = "main" })
    assert.equal('usage: B:new: unknown option "chanel" (channel?)', tostring(err))
    _, err = oras.try(A.new, A, { depth = 3 })
    assert.equal("usage", err.class)
  end)

  it("refuses new on an object and extend without a name", function()
    local object = Registry:new()
    local _, err = oras.try(object.new, object)
    assert.matches("new is called on a class", tostring(err))
    _, err = oras.try(Registry.extend, Registry)
    assert.equal("usage", err.class)
  end)

  it("is the same under all of oras-py's names", function()
    assert.equal(Registry, oras.provider.Registry)
    assert.equal(Registry, oras.client.OrasClient)
    assert.equal(Registry, require("oras.provider").Registry)
  end)
end)
