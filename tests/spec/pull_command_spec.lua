--- oras-lua pull: which files, under which names, with which modes, and one to standard output.
local oras = require "oras"

local commanding = require "tests.spec.commanding"
local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"
local process = require "tests.spec.process"

local good, bad, write = commanding.good, commanding.bad, commanding.write

local HELM <const> = "application/vnd.cncf.helm."

-- Everything below a directory, with modes.
local function tree(path)
  return process.sh("cd %s && find . -mindepth 1 -printf '%%y %%m %%P\\n' | sort -k3", path)
end

local function names(path)
  return (tree(path):gsub("(%l) %d+ ", "%1 "):gsub("d [^\n]*\n", ""):gsub("f ", ""):gsub("\n", " "):gsub(" $", ""))
end

describe("oras-lua pull", function()
  local dir, ref

  before_each(function()
    dir, ref = commanding.place "pull"
    faults.reset()
  end)
  after_each(helper.clean)

  describe("some files only (W07)", function()
    before_each(function()
      write("a.txt", "a\n")
      write("deep/b.txt", "b\n")
      write("c.json", "{}\n")
      good("push", ref .. ":v1", "a.txt:text/plain", "deep/b.txt:text/plain", "c.json:application/json")
    end)

    it("by name, by glob, by media type and by digest", function()
      local cases = {
        ["a.txt"] = "a.txt", ["*.txt"] = "a.txt deep/b.txt", ["deep/*"] = "deep/b.txt", ["?.json"] = "c.json",
        ["application/*"] = "c.json", ["text/plain"] = "a.txt deep/b.txt", [oras.digest.of "{}\n"] = "c.json",
      }
      for only, expected in pairs(cases) do
        local out = good("pull", ref .. ":v1", "-o", "out", "--only", only)
        assert.equal(expected, names(dir .. "/out"), only)
        assert.equal(#expected:gsub("[^ ]", "") + 2, select(2, out:gsub("\n", "")), out)
        process.sh("rm -r %s", dir .. "/out")
      end
      good("pull", ref .. ":v1", "-o", "out", "--only", "a.txt", "--only", "c*")
      assert.equal("a.txt c.json", names(dir .. "/out"))
    end)

    it("and a name that is not there is a mistake, not an empty result", function()
      bad(1, 'is called "x.txt"', "pull", ref .. ":v1", "-o", "out", "--only", "a.txt", "--only", "x.txt")
      bad(1, 'is called "x"', "pull", ref .. ":v1", "-o", "out", "--rename", "x=y")
      assert.is_nil(io.open(dir .. "/out"))
    end)

    it("under other names", function()
      good("pull", ref .. ":v1", "-o", "out", "--rename", "a.txt=bin/first", "--rename",
        oras.digest.of "{}\n" .. "=last")
      assert.equal("bin/first deep/b.txt last", names(dir .. "/out"))
      bad(1, "path", "pull", ref .. ":v1", "-o", "out", "--rename", "a.txt=../up")
      bad(1, "path", "pull", ref .. ":v1", "-o", "out", "--rename", "a.txt=/tmp/up")
      bad(1, "two blobs have the title", "pull", ref .. ":v1", "-o", "out", "--rename", "a.txt=c.json")
      bad(2, "OLD=NEW", "pull", ref .. ":v1", "--rename", "a.txt")
    end)
  end)

  describe("to standard output (W06)", function()
    before_each(function()
      write("a.txt", "a\n")
      write("big", ("0123456789abcdef"):rep(400000))
      good("push", ref .. ":one", "big")
      good("push", ref .. ":two", "big", "a.txt")
    end)

    it("gives the one file there is, or the one that is chosen", function()
      assert.equal(commanding.read "big", good("pull", ref .. ":one", "-o", "-"))
      assert.equal("a\n", good("pull", ref .. ":two", "-o", "-", "--only", "a.txt"))
      assert.equal("a.txt big", (names(dir)))
    end)

    it("does not choose by itself", function()
      bad(2, 'there are "big", "a.txt"', "pull", ref .. ":two", "-o", "-")
      bad(2, "both go to standard output", "pull", ref .. ":one", "-o", "-", "--format", "json")
    end)

    it("writes nothing of what is not verified", function()
      good("copy", ref .. ":two", faults.host "http" .. "/p/app:1")
      for _, name in ipairs { "big", "a.txt" } do
        faults.on { method = "GET", path = "/v2/p/app/blobs/*", corrupt = -1, always = true }
        bad(1, "integrity", "pull", faults.host "http" .. "/p/app:1", "-o", "-", "--only", name)
      end
    end)

    it("gives a directory as its archive", function()
      write("tree/f", "f")
      good("push", ref .. ":tree", "tree")
      helper.write(dir .. "/got.tgz", good("pull", ref .. ":tree", "-o", "-"))
      assert.equal("tree\ntree/f\n", process.sh("tar -tzf %s", dir .. "/got.tgz"))
    end)
  end)

  describe("what has no title (W08)", function()
    local place

    before_each(function()
      place = faults.host "http" .. "/p/app:1"
    end)

    local function chart(config, more)
      faults.seed {
        repo = "p/app", tag = "1", config = { data = config, media_type = HELM .. "config.v1+json" },
        layers = {
          { data = "chart", media_type = HELM .. "chart.content.v1.tar+gzip" }, more,
        },
      }
    end

    it("is called as helm calls its charts", function()
      chart('{"name":"web","version":"1.2.3+b.1"}', { data = "p", media_type = HELM .. "chart.provenance.v1.prov" })
      good("pull", place, "-o", "out")
      assert.equal("web-1.2.3+b.1.tgz web-1.2.3+b.1.tgz.prov", names(dir .. "/out"))
      assert.equal("chart", good("pull", place, "-o", "-", "--only", "*.tgz"))
      good("pull", place, "-o", "out2", "--rename", "web-1.2.3+b.1.tgz=c.tgz", "--only", "web*.tgz")
      assert.equal("c.tgz", names(dir .. "/out2"))
    end)

    it("is not led out of the directory by a config", function()
      for _, name in ipairs { '"../../x"', '"/x"', '".."', '"a/b"', '"-rf"', '""', "5", "null", '"a\\u0000b"' } do
        chart(('{"name":%s,"version":"1"}'):format(name))
        good("pull", place, "-o", "out")
        assert.equal("sha256-" .. oras.digest.of "chart":sub(8) .. ".tar.gz", names(dir .. "/out"), name)
      end
    end)

    it("is called by the manifest's annotations, or by digest and type", function()
      faults.seed {
        repo = "p/app", tag = "1", layers = { { data = "w", media_type = "application/wasm" } },
        annotations = { ["org.opencontainers.image.title"] = "filter", ["org.opencontainers.image.version"] = "2.0" },
      }
      good("pull", place, "-o", "out")
      assert.equal("filter-2.0.wasm", names(dir .. "/out"))
      faults.seed {
        repo = "p/app", tag = "1", layers = {
          { data = "1", media_type = "application/vnd.x.v1+json" }, { data = "2", media_type = "application/x" },
        },
      }
      good("pull", place, "-o", "two")
      local list = { oras.digest.of "1":gsub(":", "-") .. ".json", oras.digest.of "2":gsub(":", "-") .. ".bin" }
      table.sort(list)
      assert.equal(table.concat(list, " "), names(dir .. "/two"))
    end)

    it("is left out beside what has one, and told, unless it is asked for", function()
      faults.seed {
        repo = "p/app", tag = "1",
        layers = { { data = "1", title = "a.txt" }, { data = "2", media_type = "text/x" } },
      }
      local status, _, err = commanding.run_with("", "pull", place, "-o", "out")
      assert.equal(0, status)
      assert.matches('skipped "sha256:%x+" %(text/x%): no title; %-%-untitled gives it a name', err)
      assert.equal("a.txt", names(dir .. "/out"))
      local name = oras.digest.of "2":gsub(":", "-") .. ".txt"
      good("pull", place, "-o", "out", "--untitled")
      assert.equal("a.txt " .. name, names(dir .. "/out"))
      assert.equal("2", good("pull", place, "-o", "-", "--only", "text/x"))
    end)

    it("stays without a file where a script wants it so", function()
      chart '{"name":"web","version":"1"}'
      local files = helper.registry():pull(place, { outdir = dir .. "/out", untitled = false })
      assert.same({ 0, "no title" }, { #files, files.skipped[1].reason })
    end)

    it("is nothing when it is the empty layer", function()
      good("push", ref .. ":v1", "--artifact-type", "application/x")
      assert.matches("^sha256:%x+\n$", good("pull", ref .. ":v1", "-o", "out"))
    end)
  end)

  it("shows a directory by its \"/\", also where it is there already", function()
    process.sh("mkdir %s/d && echo x > %s/d/x", dir, dir)
    good("push", ref .. ":d", "d")
    for _ = 1, 2 do
      assert.matches("\nout/d/\n$", good("pull", ref .. ":d", "-o", "out"))
      assert.equal(dir .. "/out/d/",
        commanding.document("pull", "pull", ref .. ":d", "-o", "out", "--format", "json").files[1].path)
    end
  end)

  it("leaves directories packed when told to (W09)", function()
    write("tree/f", "f")
    good("push", ref .. ":v1", "tree")
    good("pull", ref .. ":v1", "-o", "out", "--no-unpack")
    assert.equal("tree", names(dir .. "/out"))
    assert.equal("tree\ntree/f\n", process.sh("tar -tzf %s", dir .. "/out/tree"))
  end)

  describe("permissions (W11)", function()
    before_each(function()
      write("run.sh", "#!/bin/sh\n")
      write("secret", "s")
      write("tree/tool", "t")
      process.sh("chmod 755 %s; chmod 600 %s; chmod 777 %s", dir .. "/run.sh", dir .. "/secret", dir .. "/tree/tool")
      good("push", ref .. ":v1", "run.sh", "secret", "tree", "--preserve-permissions")
    end)

    it("of single files are noted, and come back", function()
      good("pull", ref .. ":v1", "-o", "out")
      assert.equal("f 755 run.sh\nf 600 secret\nd 755 tree\nf 755 tree/tool\n", tree(dir .. "/out"))
      process.sh("chmod 644 %s", dir .. "/out/run.sh") -- the same content is no reason to leave it so
      faults.reset()
      good("pull", ref .. ":v1", "-o", "out")
      assert.matches("f 755 run.sh", tree(dir .. "/out"))
    end)

    it("come back less the umask, or exactly", function()
      local command = ("cd '%s' && umask 077 && '%s' pull '%s:v1' -o "):format(dir, process.oras_lua, ref)
      assert.equal(0, process.shell(command .. "masked"))
      assert.equal("f 700 run.sh\nf 600 secret\nd 700 tree\nf 700 tree/tool\n", tree(dir .. "/masked"))
      assert.equal(0, process.shell(command .. "exact --preserve-permissions"))
      assert.equal("f 755 run.sh\nf 600 secret\nd 755 tree\nf 777 tree/tool\n", tree(dir .. "/exact"))
    end)

    it("are not noted unless asked for, so that digests stay what they are", function()
      local before = good("push", ref .. ":v2", "run.sh")
      process.sh("chmod 644 %s", dir .. "/run.sh")
      assert.equal(before, good("push", ref .. ":v2", "run.sh"))
    end)

    it("never make a file that runs as its owner", function()
      for text, mode in pairs { ["4755"] = "644", ["07777"] = "644", ["0999"] = "644", ["755"] = "755" } do
        faults.seed {
          repo = "p/app", tag = "1",
          layers = { { data = "x", title = "x", annotations = { ["io.oras-lua.content.mode"] = text } } },
        }
        good("pull", faults.host "http" .. "/p/app:1", "-o", "out")
        assert.equal(("f %s x\n"):format(mode), tree(dir .. "/out"))
        process.sh("rm -r %s", dir .. "/out")
      end
    end)
  end)

  it("says why it writes nothing outside of its directory", function()
    write("a.txt", "a")
    good("push", ref .. ":v1", "a.txt")
    bad(2, "files never leave the output directory", "pull", ref .. ":v1", "-T")
    bad(2, "files never leave the output directory", "pull", ref .. ":v1", "--allow-path-traversal")
  end)
end)
