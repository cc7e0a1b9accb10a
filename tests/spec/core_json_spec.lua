local core = require "oras.core"

local json = core.json

local function refused(call, ...)
  local value, err = call(...)
  assert.is_nil(value)
  assert.equal(core.error, getmetatable(err))
  return err.class, err.message
end

describe("core.json", function()
  it("C08 keeps whole numbers exact and apart from fractions", function()
    local doc = json.decode "[9007199254740993, 9223372036854775807, -9223372036854775808, 2.0, 1e2, -0]"
    assert.same({ 9007199254740993, math.maxinteger, math.mininteger, 2.0, 100.0, 0 }, { table.unpack(doc) })
    for i, kind in ipairs { "integer", "integer", "integer", "float", "float", "integer" } do
      assert.equal(kind, math.type(doc[i]))
    end
    assert.equal("[9007199254740993,9223372036854775807,-9223372036854775808,2.0,100.0,0]", json.encode(doc))
  end)

  it("writes the shortest digits that read back the same", function()
    for _, number in ipairs { 0.1, 1 / 3, 1e15, 1e100, 5e-324, 1.7976931348623157e308, -0.0, 123456.789 } do
      local text = json.encode(number)
      assert.equal(number, json.decode(text), text)
      assert.equal("float", math.type(json.decode(text)), text)
    end
    assert.equal("0.1", json.encode(0.1))
  end)

  it("keeps empty arrays, empty objects and null apart", function()
    local text = '{"a":[],"b":{},"c":null,"d":false}'
    local doc = json.decode(text)
    assert.is_true(json.is_array(doc.a))
    assert.is_false(json.is_array(doc.b))
    assert.equal(json.null, doc.c)
    assert.is_false(doc.d)
    assert.equal(text, json.encode(doc))
  end)

  it("keeps the order of decoded keys and sorts what was added", function()
    local doc = json.decode '{"z":1,"a":{"y":1,"b":2},"m":3}'
    assert.equal('{"z":1,"a":{"y":1,"b":2},"m":3}', json.encode(doc))
    doc.q, doc.c, doc.z = 5, 4, nil
    assert.equal('{"a":{"y":1,"b":2},"m":3,"c":4,"q":5}', json.encode(doc))
    doc.z = 9
    assert.equal('{"z":9,"a":{"y":1,"b":2},"m":3,"c":4,"q":5}', json.encode(doc))
  end)

  it("sorts the keys of tables made in Lua by bytes", function()
    assert.equal('{"":0,"A":1,"B":2,"a":3,"aa":4,"é":5}',
      json.encode { a = 3, B = 2, ["é"] = 5, aa = 4, A = 1, [""] = 0 })
  end)

  it("forgets the order with the table", function()
    local seen = setmetatable({}, { __mode = "k" })
    seen[json.decode '{"b":1,"a":2}'] = true
    collectgarbage()
    collectgarbage()
    assert.is_nil(next(seen))
  end)

  it("marks arrays", function()
    assert.equal("[]", json.encode(json.array {}))
    assert.equal("[]", json.encode(json.array()))
    assert.equal("{}", json.encode {})
    assert.equal("[1,2]", json.encode { 1, 2 })
    local list = json.array { 1 }
    assert.equal(list, json.array(list))
    list[2] = { x = json.array {} }
    assert.equal('[1,{"x":[]}]', json.encode(list))
    assert.is_false(json.is_array {})
    assert.is_false(json.is_array "x")
  end)

  it("indents", function()
    assert.equal('{\n  "a": [\n    1,\n    {}\n  ],\n  "b": []\n}',
      json.encode({ a = { 1, {} }, b = json.array {} }, { indent = 2 }))
  end)

  it("escapes what must be escaped and nothing else", function()
    assert.equal([["\"\\/\b\f\n\r\t\u001fé]] .. "\127\"", json.encode "\"\\/\b\f\n\r\t\31é\127")
    for _, value in ipairs { "a\0b", { ["a\0b"] = 1 }, { a = { "\0" } } } do
      local class, message = refused(json.encode, value)
      assert.equal("content", class)
      assert.matches("NUL", message) -- as in what is decoded
    end
  end)

  it("names the place of what cannot be written", function()
    local class, message = refused(json.encode, { layers = { { size = print } } })
    assert.equal("usage", class)
    assert.matches("'layers[1].size'", message, 1, true)
    class, message = refused(json.encode, { a = { 1, 2, nil, 4 } })
    assert.equal("usage", class)
    assert.matches("'a' cannot be JSON: an array with holes", message, 1, true)
    class, message = refused(json.encode, { a = { 1, x = 2 } })
    assert.equal("usage", class)
    assert.matches("'a'", message, 1, true)
    for _, bad in ipairs { { [0] = 1 }, { [1.5] = 1 }, { [true] = 1 }, { [-1] = 1 }, json.array { x = 1 } } do
      assert.equal("usage", (refused(json.encode, bad)))
    end
    assert.equal("usage", (refused(json.encode, 0 / 0)))
    assert.equal("usage", (refused(json.encode, { x = math.huge })))
    assert.equal("usage", (refused(json.encode, nil)))
    assert.equal("usage", (refused(json.encode, coroutine.create(print))))
  end)

  it("C09 refuses invalid UTF-8 both ways", function()
    assert.equal("content", (refused(json.encode, { x = "\xff" })))
    assert.equal("content", (refused(json.encode, { ["\xed\xa0\x80"] = 1 })))
    for _, text in ipairs { '["\xff"]', '["\\ud800"]', '["\\u0000"]', "\u{feff}{}", "{}\0garbage", "{\0}\0" } do
      assert.equal("content", (refused(json.decode, text)))
    end
  end)

  it("C06 stops at the depth, also of a table that holds itself", function()
    assert.equal("limit", (refused(json.decode, ("["):rep(1000000))))
    assert.equal("limit", (refused(json.decode, ("["):rep(65) .. ("]"):rep(65))))
    local doc = json.decode(("["):rep(64) .. ("]"):rep(64))
    assert.equal(("["):rep(64) .. ("]"):rep(64), json.encode(doc))
    assert.equal("limit", (refused(json.encode, { doc })))
    assert.equal(("["):rep(65) .. ("]"):rep(65), json.encode(json.array { doc }, { max_depth = 65 }))
    local cycle = {}
    cycle.a = { cycle }
    assert.equal("limit", (refused(json.encode, cycle)))
  end)

  it("C05 C06 stops at the size", function()
    local text = '"' .. ("x"):rep(4 * 1024 * 1024) .. '"'
    assert.equal("limit", (refused(json.decode, text)))
    assert.equal(#text - 2, #json.decode(text, { max_bytes = #text }))
    assert.equal("limit", (refused(json.decode, "[1]", { max_bytes = 2 })))
  end)

  it("C07 refuses duplicate keys", function()
    assert.equal("content", (refused(json.decode, '{"a":1,"\\u0061":2}')))
  end)

  it("S09 calls no metamethods", function()
    local hostile = setmetatable({ x = 1 }, {
      __index = error, __pairs = error, __len = error, __tostring = error, __name = "hostile",
    })
    assert.equal('{"x":1}', json.encode(hostile))
  end)

  it("raises for what is no text and for mistyped options", function()
    local good, err = pcall(json.decode, 5)
    assert.is_false(good)
    assert.equal("usage", err.class)
    good, err = pcall(json.decode, "1", { max_depth = "x" })
    assert.is_false(good)
    assert.matches("max_depth", err.message)
    good, err = pcall(json.encode, 1, { indent = -1 })
    assert.is_false(good)
    assert.matches("indent", err.message)
  end)
end)
