--- Bad input of every kind: one clear line that names the thing and what was expected, the right
--- class and exit code, no file left, and the object works afterwards. Each row is tried inside
--- of this process and as a script of oras-lua's.
local bad = require "tests.e2e.bad"
local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"

local function describe_faults(name, tests)
  describe(name, function()
    local function with(title, test)
      it(title, function()
        if not faults.present() then
          return pending "no fault server"
        end
        test()
      end)
    end
    after_each(helper.clean)
    tests(with)
  end)
end

--- A rule for the repository of the rows.
local function on(what, rule)
  return function(x)
    rule.path, rule.always = x.path .. what, true
    faults.on(rule)
  end
end

local REFERENCES <const> = {
  "", " ", ":", "@", "/", "//", ":tag", "@sha256:" .. ("0"):rep(64), "ghcr.io/", "ghcr.io/:v1",
  "ghcr.io//a", "ghcr.io/a/", "ghcr.io/a//b", "ghcr.io/A", "ghcr.io/a/B", "ghcr.io/a:", "ghcr.io/a:-x", "ghcr.io/a:.x",
  "ghcr.io/a:t t", "ghcr.io/a:t/b", "ghcr.io/a:" .. ("t"):rep(129), "ghcr.io/a@", "ghcr.io/a@sha256",
  "ghcr.io/a@sha256:", "ghcr.io/a@sha256:12", "ghcr.io/a@sha256:" .. ("g"):rep(64),
  "ghcr.io/a@sha256:" .. ("A"):rep(64),
  "ghcr.io/a@md5:" .. ("0"):rep(32), "ghcr.io/a@sha256:" .. ("0"):rep(64) .. "@x", "http://ghcr.io/a",
  "https://ghcr.io/v2/a", "user:pass@ghcr.io/a", "ghcr.io:/a", "ghcr.io:0/a", "ghcr.io:65536/a", "ghcr.io:80x/a",
  "ghcr.io/a..b", "ghcr.io/.a", "ghcr.io/a_", "ghcr.io/../a", "ghcr.io/a b", "ghcr.io/a?x=1", "ghcr.io/a#x",
  "ghcr.io/ä", "[::1/a", "[::g]:5000/a", "gh_cr..io/a", "oci:", "ghcr.io/" .. ("a"):rep(300),
  "ghcr.io/a\nb", "ghcr.io/a\tb",
}

local DIGESTS <const> = {
  "", "sha256", "sha256:", ":" .. ("0"):rep(64), "sha256:" .. ("0"):rep(63), "sha256:" .. ("0"):rep(65),
  "sha256:" .. ("A"):rep(64), "sha256:" .. ("g"):rep(64), "SHA256:" .. ("0"):rep(64), "sha512:" .. ("0"):rep(64),
  "md5:" .. ("0"):rep(32), "sha256:" .. ("0"):rep(60) .. "/../", " sha256:" .. ("0"):rep(64),
  "sha256:" .. ("0"):rep(64) .. "\n",
}

describe_faults("bad arguments", function(it_)
  it_("C38 references", function()
    local rows = {}
    for i, text in ipairs(REFERENCES) do
      rows[i] = {
        code = "registry:get_manifest(x.bad)", class = "usage", says = "expected",
        setup = function(x) x.bad = text end,
      }
    end
    bad.check(rows)
  end)

  it_("C04 digests", function()
    local rows = {}
    for _, text in ipairs(DIGESTS) do
      for _, code in ipairs {
        "registry:get_blob(x.ref, x.bad)", "registry:download_blob(x.ref, { digest = x.bad }, x.file)",
      } do
        rows[#rows + 1] = {
          code = code, class = "usage", says = { code:match ":(%w+_%w+)", "digest" },
          setup = function(x) x.bad = text end,
        }
      end
    end
    bad.check(rows)
  end)

  it_("options", function()
    local rows = {}
    for code, says in pairs {
      ["oras.Registry:new { hostnam = 'x' }"] = "hostname?",
      ["oras.Registry:new { tls_verify = 1 }"] = "boolean or string",
      ["oras.Registry:new { auth_backend = 'basik' }"] = "basik",
      ["oras.Registry:new { timeout = { conect = 1 } }"] = "connect?",
      ["oras.Registry:new { limits = { manifests = 1 } }"] = "manifest?",
      ["oras.Registry:new { retry = { attempts = 1 } }"] = "attempts",
      ["oras.Registry:new { cert = 'x' }"] = "go together",
      ["oras.Registry:new 'ghcr.io'"] = "table",
      ["registry:get_manifest(x.ref, { platfrom = 'a/b' })"] = "platform?",
      ["registry:get_manifest(x.ref, { platform = 'linux' })"] = "os/arch",
      ["registry:get_blob(x.ref, x.layer, { streem = true })"] = "stream?",
      ["registry:get_blob(x.ref, x.layer, { range = { 5, 2 } })"] = "range",
      ["registry:download_blob(x.ref, x.layer, x.file, { resum = true })"] = "resume?",
      ["registry:download_blob(x.ref, x.layer, 7)"] = "path",
      ["registry:resolve(x.ref, { platforms = 'a/b' })"] = "platform?",
      ["registry:get_tags(x.name, { n = 0 })"] = "n",
      ["registry:get_tags(x.name, { N = 0 })"] = "at least 1",
      ["registry:do_request('GET', x.host .. '/v2/', { header = {} })"] = "headers?",
      ["registry:do_request(x.host .. '/v2/', 'GET')"] = "method",
      ["registry:set_header('a b', 'c')"] = "a b",
      ["registry:on('respons', print)"] = "response?",
      ["registry:on('response', 7)"] = "function",
      ["registry:set_basic_auth('', x.secret)"] = "user name",
      ["registry:set_token_auth(nil)"] = "token",
      ["registry:organize_layers(nil)"] = "manifest",
      ["registry:select_platform({}, 'a/b')"] = "index",
      ["oras.map({ 1 }, print, { concurency = 2 })"] = "concurrency?",
      ["oras.gather(1)"] = "function",
      ["oras.archive.list(7)"] = "archive",
    } do
      rows[#rows + 1] = { code = code, class = "usage", says = says }
    end
    bad.check(rows)
  end)
end)

describe_faults("what is not there", function(it_)
  it_("N35 is named with the registry's code", function()
    local rows = {}
    for code, says in pairs {
      ["registry:get_manifest(x.name .. ':nope')"] = { "MANIFEST_UNKNOWN", "nope" },
      ["registry:resolve(x.name .. '@' .. x.absent)"] = { "sha256:000" },
      ["registry:get_tags(x.host .. '/bad/other')"] = { "NAME_UNKNOWN", "bad/other" },
      ["registry:get_manifest(x.host .. '/bad/other:v1')"] = { "bad/other", "404" },
      ["registry:get_blob(x.ref, x.absent)"] = { "BLOB_UNKNOWN", "sha256:000" },
      ["registry:get_blob(x.ref, x.absent, { stream = true })"] = { "BLOB_UNKNOWN", "sha256:000" },
      ["registry:download_blob(x.ref, x.absent, x.file)"] = { "BLOB_UNKNOWN", "sha256:000" },
      ["registry:get_manifest('oci:' .. x.dir .. '/none:v1')"] = { "/none" },
      ["registry:get_manifest('oci:examples/layout:nope')"] = { "nope", "1.0.0-0" },
      ["registry:get_blob('oci:examples/layout', x.absent)"] = { "sha256:000" },
      ["registry:download_blob('oci:examples/layout', x.absent, x.file)"] = { "sha256:000" },
    } do
      rows[#rows + 1] = { code = code, class = "not_found", says = says }
    end
    bad.check(rows)
  end)
end)

describe_faults("credentials", function(it_)
  it_("that are wrong or absent name the registry", function()
    local rows = {}
    for _, mode in ipairs { "basic", "bearer" } do
      local function setup(x)
        faults.config { auth = { { repo = "bad/", mode = mode } } }
        x.user = "alice"
      end
      for code, says in pairs {
        ["registry:get_manifest(x.ref)"] = "none are known",
        ["registry:download_blob(x.ref, x.layer, x.file)"] = "127.0.0.1",
        ["registry:set_basic_auth(x.user, x.secret) registry:get_manifest(x.ref)"] = "refuses",
        ["registry:set_basic_auth(x.user, x.secret) registry:download_blob(x.ref, x.layer, x.file)"] = "refuses",
        ["registry:set_token_auth(x.secret) registry:get_manifest(x.ref)"] = "token",
      } do
        rows[#rows + 1] = { code = code, class = "auth", says = { says, "127.0.0.1", "401" }, setup = setup,
          repair = function(registry) registry:set_basic_auth("alice", "wonder:land") end }
      end
    end
    bad.check(rows)
  end)
end)

describe_faults("the way there", function(it_)
  it_("N01 N02 is named when there is none", function()
    bad.check {
      { code = "registry:get_manifest('127.0.0.1:1/a:v1')",
        class = "network", says = { "127.0.0.1:1", "Connection refused" } },
      { code = "registry:get_manifest('nosuchhost.invalid/a:v1')", class = "network", says = "nosuchhost.invalid" },
      { code = "registry:download_blob('127.0.0.1:1/a', x.layer, x.file)", class = "network", says = "127.0.0.1:1" },
      { code = "oras.Registry:new({ timeout = { first_byte = 1 }, retry = { tries = 1 } }):get_manifest(x.ref)",
        class = "timeout", says = { "127.0.0.1", "no answer after 1 second" },
        setup = on("manifests/*", { stall_headers = 5 }) },
    }
  end)

  it_("N17 N19 is named with the reason when TLS fails", function()
    local rows = {}
    for listener, says in pairs {
      tls_expired = "expired", tls_wronghost = "127.0.0.1", tls_selfsigned = "self", tls_old = "protocol version",
      https = "issuer", http = "plain_http = true",
    } do
      rows[#rows + 1] = {
        code = "oras.Registry:new({ tls_verify = x.ca }):get_manifest(x.there)", class = "tls",
        says = { "tls: ", says },
        setup = function(x)
          x.there = faults.host(listener) .. "/bad/app:v1"
          x.ca = listener ~= "https" and faults.cert "ca" or true
        end,
      }
    end
    rows[#rows + 1] = {
      code = "oras.Registry:new({ tls_verify = x.file .. '.pem' }):get_manifest(x.ref)", class = "io",
      says = { "tls_verify: ", ".pem", "No such file or directory" },
    }
    bad.check(rows)
  end)
end)

describe_faults("answers", function(it_)
  local HTML <const> = "<html><head><title>502</title></head><body><script>x</script></body></html>"
  local html = { ["Content-Type"] = "text/html" }

  it_("N51 that are pages of HTML are told by their status", function()
    local rows = {}
    for status, class in pairs { [403] = "denied", [404] = "not_found", [500] = "server", [502] = "server",
      [503] = "server", [418] = "protocol", [429] = "rate" } do
      for _, case in ipairs { { "manifests/*", "registry:get_manifest(x.ref)" },
        { "blobs/*", "registry:download_blob(x.ref, x.layer, x.file)" },
        { "tags/*", "registry:get_tags(x.name)" } } do
        rows[#rows + 1] = {
          code = case[2], class = class, says = { tostring(status), "bad/app" },
          setup = on(case[1], { status = status, headers = html, body = HTML }),
        }
      end
    end
    for _, case in ipairs { { "manifests/*", "registry:get_manifest(x.ref)", "content", "manifest" },
      { "blobs/*", "registry:download_blob(x.ref, x.layer, x.file)", "integrity", "sha256:" },
      { "blobs/*", "registry:get_blob(x.ref, x.layer)", "integrity", "sha256:" },
      { "tags/*", "registry:get_tags(x.name)", "content", "JSON" } } do
      rows[#rows + 1] = {
        code = case[2], class = case[3], says = case[4],
        setup = on(case[1], { status = 200, headers = html, body = HTML }),
      }
    end
    bad.check(rows)
  end)

  local MANIFEST <const> = "application/vnd.oci.image.manifest.v1+json"

  local function plant(text, media_type)
    return function()
      faults.seed { repo = "bad/app", tag = "odd", manifest = text, media_type = media_type or MANIFEST }
    end
  end

  it_("C05 C06 C07 that are too large, too deep or ambiguous", function()
    local code = "registry:get_manifest(x.name .. ':odd')"
    local config = '"config":{"mediaType":"a/b","digest":"sha256:' .. ("0"):rep(64) .. '","size":0}'
    bad.check {
      { code = code, class = "limit", says = { "4194304", "odd" },
        setup = plant('{"a":"' .. ("x"):rep(5 << 20) .. '"}') },
      { code = code, class = "content", says = "duplicate",
        setup = plant('{"schemaVersion":2,' .. config .. ',"layers":[],"layers":[]}') },
      { code = code, class = "limit", says = "deep",
        setup = plant('{"a":' .. ("["):rep(100) .. ("]"):rep(100) .. "}") },
      { code = code, class = "content", says = "manifest", setup = plant "" },
      { code = code, class = "content", says = "manifest", setup = plant "not json" },
      { code = code, class = "content", says = "manifest", setup = plant '{"schemaVersion":2' },
      { code = code, class = "content", says = "no object", setup = plant "[]" },
      { code = code, class = "content", says = "schemaVersion",
        setup = plant('{"schemaVersion":3,' .. config .. ',"layers":[]}') },
      { code = code, class = "content", says = "/layers", setup = plant('{"schemaVersion":2,' .. config .. "}") },
      { code = code, class = "content", says = "/config", setup = plant '{"schemaVersion":2,"layers":[]}' },
      { code = code, class = "content", says = "/layers/0/size",
        setup = plant('{"schemaVersion":2,' .. config .. ',"layers":[{"mediaType":"a/b","digest":"sha256:'
          .. ("0"):rep(64) .. '","size":-1}]}') },
      { code = code, class = "content", says = "schema 1",
        setup = plant('{"schemaVersion":1}', "application/vnd.docker.distribution.manifest.v1+json") },
      { code = code, class = "content", says = { "index", MANIFEST },
        setup = plant('{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}') },
    }
  end)

  it_("C01 C02 N03 that are truncated, too long or altered", function()
    local rows = {}
    for _, code in ipairs {
      "registry:get_blob(x.ref, { digest = x.layer, size = x.size })",
      "registry:get_blob(x.ref, x.layer)",
      "for _ in registry:get_blob(x.ref, x.layer, { stream = true }):chunks() do end",
      "return registry:get_blob(x.ref, x.layer, { stream = true }).content",
      "registry:download_blob(x.ref, { digest = x.layer, size = x.size }, x.file)",
      "registry:download_blob(x.ref, x.layer, x.file)",
    } do
      local kept = code:find "download" and "^%.oras%-partial%-sha256%-%x+$" or nil
      for class, rule in pairs {
        network = { cut = 1000 }, integrity = { corrupt = 4999 },
      } do
        rows[#rows + 1] = { code = code, class = class, says = "127.0.0.1", setup = on("blobs/*", rule),
          left = class == "network" and kept or nil }
      end
      rows[#rows + 1] = { code = code, class = "integrity", says = "sha256:",
        setup = on("blobs/*", { status = 200, body_size = 4000 }) }
      rows[#rows + 1] = { code = code, class = "integrity", says = "sha256:",
        setup = on("blobs/*", { status = 200, body_size = 6000 }) }
    end
    rows[#rows + 1] = { code = "registry:get_manifest(x.name .. '@' .. registry:resolve(x.ref).digest)",
      class = "integrity", says = "sha256:",
      setup = function(x)
        faults.on { method = "GET", path = x.path .. "manifests/*", corrupt = 30, always = true }
      end }
    bad.check(rows)
  end)

  it_("C02 that are larger than the limit for memory", function()
    bad.check {
      { code = "registry:get_blob(x.ref, x.layer, { max_bytes = 100 })", class = "limit",
        says = { "100", "127.0.0.1" } },
    }
  end)

  it_("C11 N15 that are of another type or coded", function()
    bad.check {
      { code = "registry:get_manifest(x.ref)", class = "content", says = "the server says",
        setup = on("manifests/*", { set = { ["Content-Type"] = "application/vnd.oci.image.index.v1+json" } }) },
      { code = "registry:get_blob(x.ref, x.layer):json()", class = "content", says = "JSON" },
      { code = "for _ in registry:get_blob(x.ref, x.layer):entries() do end", class = "content", says = "archive" },
      { code = "for _ in registry:get_blob(x.ref, x.layer, { stream = true }):entries() do end", class = "content",
        says = "archive" },
    }
  end)
end)

describe_faults("a download's target", function(it_)
  local CODE <const> = "registry:download_blob(x.ref, x.layer, x.target)"

  local function target(path)
    return function(x) x.target = path(x) end
  end

  it_("L02 is named when it cannot be", function()
    bad.check {
      { code = CODE, class = "io", says = { "/dir", "directory" }, left = "^dir$",
        setup = function(x)
          x.target = x.dir .. "/dir"
          assert(os.execute("mkdir " .. x.target))
        end },
      { code = CODE, class = "io", says = { "/plain", "directory" }, left = "^plain$",
        setup = function(x)
          x.target = helper.write(x.dir .. "/plain", "x") .. "/file"
        end },
      { code = CODE, class = "io", says = "/proc/nothing", setup = target(function() return "/proc/nothing/file" end) },
      { code = CODE:gsub("%)$", ", { overwrite = false })"), class = "exists", says = { "/file" }, left = "^file$",
        setup = function(x)
          x.target = helper.write(x.file, "x")
        end },
    }
  end)
end)
