--- Commands beside oras's of the same name, on each registry: the same text where text is a result,
--- and documents with oras's keys and values.
local oras = require "oras"

local helper = require "tests.spec.helper"
local json_keys = require "tests.spec.json_keys"
local process = require "tests.spec.process"
local services = require "tests.support.services"

local quote = process.quote

local PLACES <const> = {
  { name = "docker-registry", service = "registry" },
  { name = "distribution v3", service = "registry_v3" },
  { name = "go-containerregistry", service = "registry_ggcr" },
}

local peer, no_peer = services.peer "oras"

local work, count = nil, 0

local function run(program, ...)
  local words = { quote(program) }
  for _, word in ipairs { ... } do
    words[#words + 1] = quote(word)
  end
  words[#words + 1] = "--plain-http"
  local status, out, err = process.shell(("cd %s && export HOME=%s DOCKER_CONFIG=%s; %s </dev/null"):format(
    quote(work), quote(work), quote(work), table.concat(words, " ")))
  assert.equal(0, status, table.concat(words, " ") .. "\n" .. out .. err)
  return out
end

local function ours(...)
  return run(process.oras_lua, ...)
end

-- Every key of the one is in the other with the same value; ours may have more.
local function includes(wanted, found, where)
  if type(wanted) ~= "table" then
    assert.equal(wanted, found, where)
    return
  end
  assert.equal("table", type(found), where)
  for key, value in pairs(wanted) do
    includes(value, found[key], where .. "." .. tostring(key))
  end
end

local function sorted(text)
  local lines = {}
  for line in text:gmatch "[^\n]+" do
    lines[#lines + 1] = line
  end
  table.sort(lines)
  return table.concat(lines, "\n")
end

for _, place in ipairs(PLACES) do
  describe("commands on " .. place.name, function()
    local host, repository, ref, digest, blob

    local function set_up()
      count = count + 1
      work = helper.directory()
      repository = ("%s/commands/%s%d"):format(host, work:match "([^/_]+)$":lower(), count)
      ref = repository .. ":v1"
      helper.write(work .. "/a.txt", "a\n")
      helper.write(work .. "/c.json", '{"b":[1,2]}')
      run(peer, "push", ref .. ",v2", "a.txt:text/plain", "--config", "c.json:application/vnd.c+json")
      digest = run(peer, "resolve", ref):match "%S+"
      blob = ("%s@%s"):format(repository, oras.digest.of "a\n")
    end

    -- A test with an artifact that oras has pushed; without that registry or oras there is none.
    local function with_both(name, test)
      it(name, function()
        host = services.get(place.service)
        if not (host and peer) then
          return pending(not host and services.missing(place.service) or no_peer)
        end
        set_up()
        test()
      end)
    end
    after_each(helper.clean)

    -- The same words for both programs, the same bytes from both.
    local function same(...)
      assert.equal(run(peer, ...), ours(...), table.concat({ ... }, " "))
    end

    local function same_document(command, ...)
      local document = json_keys.check_text(command, ours(...))
      includes(oras.json.decode(run(peer, ...)), document, command)
    end

    with_both("resolve, repo tags, repo ls", function()
      same("resolve", ref)
      same("resolve", "-l", ref)
      same("digest", repository .. "@" .. digest)
      assert.equal(sorted(run(peer, "repo", "tags", repository)), sorted(ours("repo", "tags", repository)))
      assert.equal(sorted(run(peer, "repo", "tags", ref)), sorted(ours("tags", ref)))
      assert.equal(sorted(run(peer, "repo", "ls", host)), sorted(ours("repo", "ls", host)))
      assert.equal(sorted(run(peer, "repo", "ls", host .. "/commands")), sorted(ours("repos", host .. "/commands")))
      local found = oras.json.decode(ours("repo", "ls", host .. "/commands", "--format", "json"))
      assert.equal(oras.json.decode(run(peer, "repo", "ls", host .. "/commands", "--format", "json")).registry,
        found.registry)
    end)

    with_both("manifest fetch and fetch-config", function()
      same("manifest", "fetch", ref)
      same("manifest", "fetch", ref, "--descriptor")
      same("manifest", "fetch", ref, "--pretty")
      same("manifest", "fetch", ref, "--descriptor", "--pretty")
      same_document("manifest fetch", "manifest", "fetch", ref, "--format", "json")
      same("manifest", "fetch-config", ref)
      same("manifest", "fetch-config", ref, "--descriptor")
      same("manifest", "get-config", ref, "--pretty")
      same("manifest", "fetch", ref, "-o", "-")
    end)

    with_both("manifest push and delete", function()
      ours("manifest", "fetch", ref, "-o", "m.json")
      assert.equal(run(peer, "manifest", "push", repository .. ":x", "m.json", "--descriptor"),
        ours("manifest", "push", repository .. ":y", "m.json", "--descriptor"))
      same("resolve", repository .. ":y")
      assert.equal(digest .. "\n", ours("manifest", "push", repository, "m.json"))
      json_keys.check_text("manifest push", ours("manifest", "push", ref, "m.json", "--format", "json"))
      ours("manifest", "delete", "-f", repository .. "@" .. digest)
      assert.equal(1, (process.shell(("%s resolve --plain-http %s 2>/dev/null"):format(quote(peer),
        quote(repository .. "@" .. digest)))))
      assert.equal("", ours("manifest", "delete", "-f", repository .. "@" .. digest))
    end)

    with_both("blob fetch, push and delete", function()
      same("blob", "fetch", blob, "-o", "-")
      same("blob", "fetch", blob, "--descriptor")
      assert.equal("a\n", ours("blob", "fetch", blob))
      helper.write(work .. "/big", ("0123456789abcdef"):rep(300000))
      same("blob", "push", repository, "big", "--descriptor")
      same("blob", "push", repository, "big", "--descriptor", "--media-type", "text/x")
      local big = ("%s@%s"):format(repository, oras.digest.of_file(work .. "/big"))
      ours("blob", "fetch", big, "-o", "got")
      assert.equal(helper.read(work .. "/big"), helper.read(work .. "/got"))
      json_keys.check_text("blob push", ours("blob", "push", repository, "big", "--format", "json"))
      json_keys.check_text("blob fetch", ours("blob", "fetch", big, "--format", "json"))
      assert.equal(oras.digest.of_file(work .. "/big") .. "\n", ours("blob", "delete", "-f", big))
    end)

    with_both("inspect and verify", function()
      assert.truthy(ours("inspect", ref):find(digest, 1, true))
      json_keys.check_text("inspect", ours("inspect", ref, "--format", "json"))
      run(peer, "pull", ref, "-o", "out")
      assert.equal("", ours("verify", "out", ref, "--extra"))
      json_keys.check_text("verify", ours("verify", "out", ref, "--format", "json"))
    end)

    with_both("push and pull", function()
      local theirs = oras.json.decode(run(peer, "pull", ref, "-o", "theirs", "--format", "json"))
      local document = json_keys.check_text("pull", ours("pull", ref, "-o", "theirs", "--format", "json"))
      includes(theirs, document, "pull")
      json_keys.check_text("push", ours("push", repository .. ":n", "a.txt", "--format", "json"))
      assert.equal("a\n", ours("pull", repository .. ":n", "-o", "-"))
    end)

    with_both("verify takes a directory that oras has packed and unpacked", function()
      helper.write(work .. "/x", "x")
      process.sh("mkdir -p %s && cp %s %s && ln -s f %s", work .. "/tree/sub", work .. "/x", work .. "/tree/sub/f",
        work .. "/tree/sub/l")
      run(peer, "push", repository .. ":tree", "tree")
      run(peer, "pull", repository .. ":tree", "-o", "out")
      assert.equal("", ours("verify", "out", repository .. ":tree", "--extra"))
      helper.write(work .. "/out/tree/sub/f", "y")
      local status, out = process.shell(("cd %s && %s verify out %s"):format(quote(work), quote(process.oras_lua),
        quote(repository .. ":tree")))
      assert.equal(1, status)
      assert.truthy(out:find("changed     out/tree/sub/f\n", 1, true), out)
    end)
  end)
end
