--- Files with credentials that are changed: what has nothing to do with it stays as it is.
local auth_file = require "oras.auth.auth_file"
local edit = require "oras.json_edit"
local oras = require "oras"

-- What docker writes, with numbers and texts that a decoder would spell in another way.
local DOCKER <const> = [[
{
	"auths": {
		"https://index.docker.io/v1/": {
			"auth": "YTpi",
			"email": "a\u0040b"
		},
		"ghcr.io": {}
	},
	"HttpHeaders": { "User-Agent": "Docker\/1.10 {\"[" },
	"x": [1.10, 1e2, 12345678901234567890, {"}": "]"}],
	"detachKeys":"ctrl-e,e"
}
]]

describe("a change in the text of an object", function()
  it("L15 gives a member another value and leaves every other byte", function()
    local path = { "auths", "https://index.docker.io/v1/", "auth" }
    assert.equal((DOCKER:gsub('"YTpi"', '"x"')), edit.put(DOCKER, path, '"x"'))
    assert.equal((DOCKER:gsub('%[1%.10.-"}%]', "5")), edit.put(DOCKER, { "x" }, "5"))
    assert.equal((DOCKER:gsub('"ctrl%-e,e"', "null")), edit.put(DOCKER, { "detachKeys" }, "null"))
  end)

  it("L15 adds members behind the others, laid out as they are", function()
    local text = edit.put(DOCKER, { "auths", "quay.io", "auth" }, '"y"')
    assert.equal((DOCKER:gsub('"ghcr.io": {}', '"ghcr.io": {},\n\t\t"quay.io": {\n\t\t\t"auth": "y"\n\t\t}')), text)
    text = edit.put(DOCKER, { "auths", "ghcr.io", "auth" }, '"y"')
    assert.equal((DOCKER:gsub('"ghcr.io": {}', '"ghcr.io": {\n\t\t\t"auth": "y"\n\t\t}')), text)
    assert.equal('{"a":{"b":1},"c":{"d":2}}', edit.put('{"a":{"b":1}}', { "c", "d" }, "2"))
    assert.equal('{\n  "a": 1,\n  "c": {\n    "d": 2\n  }\n}', edit.put('{\n  "a": 1\n}', { "c", "d" }, "2"))
    assert.equal('{\n\t"auths": {\n\t\t"a": 1\n\t}\n}\n', edit.put("{}\n", { "auths", "a" }, "1"))
    assert.equal('{"a":1}', edit.put("{ }", { "a" }, "1"))
  end)

  it("replaces what is no object on the way", function()
    assert.equal('{"auths":{"a":1},"b":2}', edit.put('{"auths":null,"b":2}', { "auths", "a" }, "1"))
    assert.equal('{"auths":{"a":1}}', edit.put('{"auths":"}"}', { "auths", "a" }, "1"))
  end)

  it("L15 takes members away, the first, the last and the only one", function()
    local function removed(text, ...)
      local changed, was_there = edit.remove(text, { ... })
      return was_there and changed
    end
    assert.equal('{"b":2,"c":3}', removed('{"a":1,"b":2,"c":3}', "a"))
    assert.equal('{"a":1,"c":3}', removed('{"a":1,"b":2,"c":3}', "b"))
    assert.equal('{"a":1,"b":2}', removed('{"a":1,"b":2,"c":3}', "c"))
    assert.equal('{ "a" : {} }', removed('{ "a" : { "b": [1, {"c": 2}] } }', "a", "b"))
    assert.equal((DOCKER:gsub(',\n\t"detachKeys":"ctrl%-e,e"', "")), removed(DOCKER, "detachKeys"))
    assert.equal((DOCKER:gsub('"https.-},\n\t\t', "")), removed(DOCKER, "auths", "https://index.docker.io/v1/"))
    for _, path in ipairs { { "z" }, { "auths", "z" }, { "z", "a" }, { "detachKeys", "a" }, { "x", "1" } } do
      assert.is_false(removed(DOCKER, table.unpack(path)))
      assert.equal(DOCKER, (edit.remove(DOCKER, path)))
    end
  end)

  it("finds names however they are spelt", function()
    assert.equal('{"\\u0061uths":5}', edit.put('{"\\u0061uths":1}', { "auths" }, "5"))
    assert.equal('{"a\\"b":5}', edit.put('{"a\\"b":1}', { 'a"b' }, "5"))
    assert.equal('{"a\\"b":1}', edit.put("{}", { 'a"b' }, "1"))
    assert.equal('{"a":"\\\\","b":5}', edit.put('{"a":"\\\\","b":1}', { "b" }, "5"))
  end)

  it("means the same as a change of what the text stands for", function()
    math.randomseed(7)
    local names = { "a", "b", "auths", "ghcr.io", "é", '"', "\\" }
    local text, value = "{}\n", {}
    for i = 1, 300 do
      local first, second = names[math.random(#names)], names[math.random(#names)]
      if math.random(3) == 1 then
        text = edit.remove(text, { first, second })
        if value[first] then
          value[first][second] = nil
        end
      else
        text = edit.put(text, { first, second }, tostring(i))
        value[first] = value[first] or {}
        value[first][second] = i
      end
      local decoded = oras.json.decode(text)
      for name, entry in pairs(value) do
        for key, number in pairs(entry) do
          assert.equal(number, decoded[name][key])
        end
        for key in pairs(decoded[name]) do
          assert.equal(entry[key], decoded[name][key])
        end
      end
    end
  end)
end)

describe("a file with credentials", function()
  it("names its helper, that of the host before that of all", function()
    local document = oras.json.decode
      '{"credHelpers":{"ghcr.io":"a","docker.io":"hub","e.example":""},"credsStore":"s"}'
    for host, name in pairs {
      ["ghcr.io"] = "a", ["index.docker.io"] = "hub", ["quay.io"] = "s", ["ghcr.io:443"] = "s", ["xghcr.io"] = "s",
    } do
      assert.equal(name, auth_file.helper(document, host, "f"))
    end
    assert.is_nil(auth_file.helper(document, "e.example", "f"))
    for _, text in ipairs { '{"credsStore":5}', '{"credHelpers":[]}', '{"credHelpers":{"ghcr.io":{}}}' } do
      local _, err = oras.try(auth_file.helper, oras.json.decode(text), "ghcr.io", "the file")
      assert.equal("config", err.class)
      assert.matches("the file", err.message, 1, true)
    end
  end)

  it("L20 has one key for Docker Hub", function()
    for _, host in ipairs { "docker.io", "index.docker.io", "registry-1.docker.io" } do
      assert.equal("https://index.docker.io/v1/", auth_file.key(host))
      assert.equal("docker.io", auth_file.canonical(host))
    end
    assert.equal("ghcr.io:1", auth_file.key "ghcr.io:1")
  end)
end)
