--- The part of YAML that is read, against what it means and against what is refused.
local oras = require "oras"
local yaml = require "oras.yaml"

local function json(text)
  return oras.json.encode(yaml.decode(text))
end

local function refused(text)
  local value, err = oras.try(yaml.decode, text, "f.yaml")
  assert.is_nil(value, text)
  assert.equal("content", err.class)
  return err.message
end

describe("YAML", function()
  it("has scalars: texts, numbers, truth, nothing", function()
    assert.equal('{"a":"x y","b":5,"c":-1.5,"d":true,"e":null,"f":null,"g":"1.2.3","h":"yes"}',
      json "a: x y # said\nb: 5\nc: -1.5\nd: true\ne: null\nf:\ng: 1.2.3\nh: yes\n")
    assert.equal([[{"a":"it's","b":"tab\tsnow☃","c":"# no comment","d":"x#y"}]],
      json "a: 'it''s'\nb: \"tab\\tsnow\\u2603\" # c\nc: '# no comment'\nd: x#y")
    assert.equal('{"a b":"c:d","k-1":"http://x/y"}', json "'a b': c:d\nk-1: http://x/y")
  end)

  it("has lists and mappings, below each other and in one line", function()
    assert.equal('{"a":["x",["y"],{"b":1,"c":["z"]}],"d":{"e":{}}}',
      json "a:\n- x\n- - y\n- b: 1\n  c:\n  - z\nd:\n  e: {}\n")
    assert.equal('{"a":["x","y z",{"b":1},[]],"c":{"d":"e"}}', json "a: [x, 'y z', {b: 1}, [],]\nc: { d : e }")
    assert.equal('["a","b",null]', json "- a\n-  'b'\n-\n")
    assert.equal('[{"n":"x: y","p":1},"q:r"]', json "- n: 'x: y'\n  p: 1\n- 'q:r'")
  end)

  it("has texts of many lines", function()
    assert.equal('{"a":"x\\n  y\\n\\nz\\n","b":1}', json "a: |\n  x\n    y\n\n  z\n\nb: 1")
    assert.equal('{"a":"x\\n\\n","b":"x","c":"x y\\nz\\n"}', json "a: |+\n  x\n\nb: >-\n  x\nc: >\n  x\n  y\n\n  z\n")
    assert.equal('{"a":["# not a comment\\n"]}', json "a:\n- |\n  # not a comment\n")
  end)

  it("takes what editors leave: comments, CRLF, a mark, the start of a document", function()
    assert.equal('{"a":1,"b":2}', json "\u{FEFF}# head\r\n---\r\na: 1\r\n\r\n  # odd\r\nb: 2\r\n")
  end)

  it("refuses what it does not understand, and says where", function()
    assert.equal('f.yaml, line 2: the key "a" is there twice', refused "a: 1\na: 2")
    assert.equal('f.yaml, line 3: "&x" is not understood here (quote it?)', refused "a: 1\n\nb: &x\n")
    for _, text in ipairs {
      "", "# nothing", "word", "a: b: c", "a: *x", "a: !!str 1", "a: @x", "a: `x`", "a: %x", "a: [1", "a: {b",
      "a: {b c}", "a: 'x", 'a: "x', 'a: "\\q"', 'a: "\\ud800"', "a: 'x' y", "a:\n\tb: 1", "a: 1\n b: 2", "a: b\n  c",
      "- a\nb: 1", "a: 1\n- b", "? a", "a: 1\n---\nb: 2", "a: \1", "a: \xff", "<<: *x", "a: [1 2: 3]", "a: |2\n  x",
      "{a: 1}", "a:\n    b: 1\n  c: 2",
    } do
      refused(text)
    end
  end)

  it("has limits: depth and size", function()
    assert.is_not_nil(refused("a: " .. ("["):rep(100)):find "levels")
    local deep = {}
    for i = 1, 100 do
      deep[i] = (" "):rep(i) .. "a:"
    end
    assert.is_not_nil(refused(table.concat(deep, "\n")):find "levels")
    assert.is_not_nil(refused("a: " .. ("x"):rep(1024 * 1024)):find "bytes")
  end)
end)
