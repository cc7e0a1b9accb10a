--- types/, what editors know of the library, against the library itself.
local core = require "oras.core"

local FILES <const> = "lua/?.lua;lua/?/init.lua"

-- A release carries bytecode without the names of variables, which are looked for here: the
-- library's files themselves then, for this spec alone (busted puts package.loaded back).
local function from_files(name)
  local path = name:find "^oras" and package.searchpath(name, FILES)
  return path and assert(loadfile(path)) or nil
end

local function load_from_files()
  for name in pairs(package.loaded) do
    if name:find "^oras" and package.searchpath(name, FILES) then
      package.loaded[name] = nil
    end
  end
  table.insert(package.searchers, 1, from_files)
end

load_from_files()
local helper = require "tests.spec.helper"
local oras = require "oras"
local process = require "tests.spec.process"

local types = dofile "scripts/types.lua"

local LAYOUT <const> = "oci:examples/layout:1.0.0-0"
local DIGEST <const> = "sha256:" .. ("0"):rep(64)

local function upvalue(fn, wanted)
  for i = 1, 255 do
    local name, value = debug.getupvalue(fn, i)
    if name == wanted then
      return value
    elseif not name then
      error("no upvalue " .. wanted)
    end
  end
end

-- The tables of a file of types/, by the names they have there, and the module's own as "".
local function declared(name)
  local path = "types/" .. name:gsub("%.", "/") .. ".lua"
  local text = assert(helper.read(path))
  local names = {}
  for local_name in text:gmatch "\nlocal ([%w_]+) = {}" do
    names[#names + 1] = ("%s = %s"):format(local_name, local_name)
  end
  text = text:gsub("\nreturn [%w_]+\n$", "\n") .. "return { " .. table.concat(names, ", ") .. " }"
  return assert(load(text, "=" .. path, "t", {}))()
end

local function is_public(name)
  return type(name) == "string" and (name:sub(1, 1) ~= "_" or name == "_organize_layers")
end

local function count_of(fn)
  local info = debug.getinfo(fn, "Su")
  return info.nparams, info.isvararg, info.what == "C"
end

-- A function that takes whatever comes may be declared with the parameters that it makes of it.
local function same_parameters(real, said)
  local n, is_vararg, is_c = count_of(real)
  local m, takes_more = count_of(said)
  if is_c then
    return true
  end
  return (n == m and is_vararg == takes_more) or (is_vararg and m >= n and not takes_more)
end

local function compare(real, said, what)
  local problems = {}
  for name, fn in pairs(said) do
    local found = real[name]
    if type(found) ~= "function" then
      problems[#problems + 1] = ("%s.%s is not there"):format(what, name)
    elseif not same_parameters(found, fn) then
      problems[#problems + 1] = ("%s.%s has other parameters"):format(what, name)
    end
  end
  for name, value in pairs(real) do
    if is_public(name) and type(value) == "function" and not said[name] then
      problems[#problems + 1] = ("%s.%s is not declared"):format(what, name)
    end
  end
  table.sort(problems)
  return problems
end

-- All methods are read in: those of groups come with their first use.
local function whole_registry()
  local Registry = oras.Registry
  for name in pairs(upvalue(getmetatable(Registry).__index, "GROUPS")) do
    assert(Registry[name], name)
  end
  local all = {}
  for name, value in next, Registry do
    all[name] = value
  end
  all.new = Registry.new
  return all
end

local function module_of(name)
  return name == "oras" and oras or require(name)
end

-- What each file of types/ describes, by file and table.
local function reality()
  local registry = oras.Registry:new {}
  local manifest = registry:get_manifest(LAYOUT)
  local container = registry:get_container(LAYOUT)
  local response = require("oras.response").new { status = 200 }
  local entries = oras.archive.entries
  local task = oras.spawn(function() end)
  task:wait()
  local hasher = getmetatable(oras.digest.new()).__index
  return {
    ["oras.registry"] = { Registry = whole_registry() },
    ["oras.class"] = { Object = require "oras.class" },
    ["oras.container"] = { Container = upvalue(getmetatable(container).__index, "methods") },
    ["oras.manifest"] = { Manifest = getmetatable(manifest).__index },
    ["oras.response"] = {
      Response = upvalue(getmetatable(response).__index, "methods"), response = require "oras.response",
    },
    ["oras.error"] = { Error = {} },
    ["oras.upload"] = {
      Body = getmetatable(require("oras.registry.sources").open({ data = "" }, {})),
      Upload = {},
    },
    ["oras.archive"] = { archive = oras.archive, Entry = upvalue(upvalue(entries, "Entries").__call, "Entry") },
    ["oras.cron"] = { cron = oras.cron, Cron = getmetatable(oras.cron.parse "* * * * *") },
    ["oras.digest"] = { digest = oras.digest, Hasher = hasher },
    ["oras.layout"] = { layout = oras.layout, Layout = oras.layout.Layout },
    ["oras.oci"] = { oci = oras.oci, Annotations = getmetatable(oras.oci.Annotations()) },
    ["oras.stream"] = { Stream = upvalue(require("oras.stream").new, "Stream") },
    ["oras.task"] = { task = oras.task, Task = getmetatable(task).__index },
  }
end

local function each_file()
  local pipe <close> = assert(io.popen "find types -name '*.lua' | sort")
  local names = {}
  for path in pipe:lines() do
    names[#names + 1] = (path:sub(7, -5):gsub("/", "."))
  end
  return names
end

-- Parts of a module that are read in when they are used.
local function read_in()
  for name in pairs(declared("oras").oras) do
    assert.is_function(oras[name], name)
  end
end

-- A table of options as it is checked: the call ends there.
local function checked(verb, call)
  local options = require "oras.options"
  local check, spec = options.check, nil
  options.check = function(given, kinds, what)
    if what == verb then
      spec = kinds
      error("checked", 0)
    end
    return check(given, kinds, what)
  end
  local _, err = pcall(call)
  options.check = check
  assert(spec, ("%s does not check its options: %s"):format(verb, tostring(err)))
  return spec
end

local function kinds_of(text)
  local kinds = {}
  text = text:gsub("fun%b().*", "function"):gsub("%b<>", ""):gsub("%b{}", "table")
  for one in text:gmatch "[^|]+" do
    local kind = one:find "%[%]$" and "table" or one:find "^oras%." and "table" or one
    if kind == "true" or kind == "false" then
      kind = "boolean"
    end
    kinds[#kinds + 1] = kind
  end
  table.sort(kinds)
  local unique = {}
  for i, kind in ipairs(kinds) do
    if kind ~= kinds[i - 1] then
      unique[#unique + 1] = kind
    end
  end
  return table.concat(unique, "|")
end

-- The first word is the type; a function's may have blanks inside of its parentheses.
local function type_of(text)
  local type_text = ""
  local rest = text
  while true do
    local piece = rest:match "^fun%b():? ?[^ ]*" or rest:match "^[%w_.%[%]]+%b<>"
      or rest:match "^%b{}[%[%]]*" or rest:match "^[^ |]+"
    type_text, rest = type_text .. piece, rest:sub(#piece + 1)
    if rest:sub(1, 1) ~= "|" then
      return type_text
    end
    type_text, rest = type_text .. "|", rest:sub(2)
  end
end

local function classes()
  local all = {}
  for _, name in ipairs(each_file()) do
    local class
    for line in io.lines("types/" .. name:gsub("%.", "/") .. ".lua") do
      local class_name, parent = line:match "^%-%-%-@class ([%w_.]+) ?:? ?([%w_.]*)"
      local field, rest = line:match "^%-%-%-@field ([%w_]+)%?? (.+)$"
      if class_name then
        assert.is_nil(all[class_name], class_name)
        class = setmetatable({}, { __index = { parent } })
        all[class_name] = class
      elseif field then
        class[field] = kinds_of(type_of(rest))
      end
    end
  end
  return all
end

local function sorted_kinds(spec)
  local sorted = {}
  for name, kinds in pairs(spec) do
    sorted[name] = kinds_of(kinds)
  end
  return sorted
end

local OPTIONS <const> = {
  { "RegistryOptions", "Registry:new", function() oras.Registry:new { hostname = "a.b" } end },
  { "Timeouts", "Registry:new: timeout", function() oras.Registry:new { timeout = {} } end },
  { "Limits", "Registry:new: limits", function() oras.Registry:new { limits = {} } end },
  { "RetryOptions", "Registry:new: retry", function() oras.Registry:new { retry = {} } end },
  { "UnpackLimits", "pull: limits", function(r) r:pull(LAYOUT, { limits = {} }) end },
  { "GetManifestOptions", "get_manifest", function(r) r:get_manifest(LAYOUT, {}) end },
  { "ResolveOptions", "resolve", function(r) r:resolve(LAYOUT, {}) end },
  { "GetBlobOptions", "get_blob", function(r) r:get_blob(LAYOUT, DIGEST, {}) end },
  { "DownloadOptions", "download_blob", function(r) r:download_blob(LAYOUT, DIGEST, "x", {}) end },
  { "TagsOptions", "get_tags", function(r) r:get_tags(LAYOUT, {}) end },
  { "TagsOptions", "tags", function(r) r:tags(LAYOUT, {}) end },
  { "RepositoriesOptions", "repositories", function(r) r:repositories("a.b", {}) end },
  { "UploadBlobOptions", "upload_blob", function(r) r:upload_blob(LAYOUT, { data = "" }, nil, {}) end },
  { "UploadManifestOptions", "upload_manifest", function(r) r:upload_manifest(LAYOUT, "{}", {}) end },
  { "PackManifestOptions", "pack_manifest", function(r) r:pack_manifest {} end },
  { "PushOptions", "push", function(r) r:push("oci:/nowhere:a", {}, {}) end },
  { "PullOptions", "pull", function(r) r:pull(LAYOUT, {}) end },
  { "VerifyOptions", "verify", function(r) r:verify(LAYOUT, ".", {}) end },
  { "ReferrersOptions", "referrers", function(r) r:referrers(LAYOUT, {}) end },
  { "DiscoverOptions", "discover", function(r) r:discover(LAYOUT, {}) end },
  { "UntagOptions", "untag", function(r) r:untag(LAYOUT, "a", {}) end },
  { "UntagOptions", "delete_tags", function(r) r:delete_tags(LAYOUT, "a", {}) end },
  { "DeleteManifestOptions", "delete_manifest", function(r) r:delete_manifest(LAYOUT, {}) end },
  { "CopyOptions", "copy", function(r) r:copy(LAYOUT, LAYOUT, {}) end },
  { "IndexOptions", "index", function(r) r:index(LAYOUT, {}, {}) end },
  { "BackupOptions", "backup", function(r) r:backup(LAYOUT, "/nowhere", {}) end },
  { "RestoreOptions", "restore", function(r) r:restore("/nowhere", LAYOUT, {}) end },
  { "LoginOptions", "login", function(r) r:login {} end },
  { "LogoutOptions", "logout", function(r) r:logout("a.b", {}) end },
  { "WaitForRateOptions", "wait_for_rate", function(r) r:wait_for_rate(LAYOUT, {}) end },
  { "RequestOptions", "do_request", function(r) r:do_request("GET", "/v2/", {}) end },
  { "File", "push: file 1", function(r) r:push("oci:/nowhere:a", { { data = "" } }, {}) end },
  { "ArchiveOptions", "entries", function() oras.archive.entries({ data = "" }, {}) end },
  { "PackOptions", "pack", function() oras.archive.pack("x", "y", {}) end },
  { "ExtractOptions", "extract", function() oras.archive.extract({ data = "" }, "x", {}) end },
  { "LayerOptions", "NewLayer", function() oras.oci.NewLayer({ data = "" }, nil, {}) end },
  { "CollectOptions", "collect", function() oras.layout.open("examples/layout"):collect {} end },
  { "DecodeOptions", "decode", function() oras.json.decode("{}", {}) end },
  { "EncodeOptions", "encode", function() oras.json.encode({}, {}) end },
  { "EveryOptions", "every", function() oras.every(1, print, {}) end },
  { "MapOptions", "map", function() oras.map({}, print, {}) end },
}

local function check_options(registry, row)
  local said = classes()["oras." .. row[1]]
  local spec = sorted_kinds(checked(row[2], function() row[3](registry) end))
  assert.same(spec, setmetatable(said, nil), row[2])
end

describe("types", function()
  teardown(function()
    assert(table.remove(package.searchers, 1) == from_files)
  end)

  it("are written from the comments as they are now (else: lua5.4 scripts/types.lua)", function()
    for path, text in pairs(types.all()) do
      assert.equal(text, helper.read("types/" .. path), path)
    end
  end)

  it("declare every public function, none that is not there, with its parameters", function()
    read_in()
    local real = reality()
    for _, name in ipairs(each_file()) do
      for title, said in pairs(declared(name)) do
        local found = real[name] and real[name][title] or module_of(name)
        local problems = compare(found, said, name .. ": " .. title)
        assert.same({}, problems)
      end
    end
  end)

  it("declare every part of the library that scripts are told of", function()
    local index = getmetatable(oras).__index
    local said = classes().oras
    for _, list in ipairs { "MODULES", "MEMBERS" } do
      for name in pairs(upvalue(index, list)) do
        assert.is_true(said[name] ~= nil or declared("oras").oras[name] ~= nil, name)
      end
    end
    for _, name in ipairs(each_file()) do
      assert.is_truthy(name == "oras.options" or name == "oras.upload" or pcall(module_of, name), name)
    end
  end)

  it("name no class that is not described", function()
    local known = classes()
    for _, name in ipairs(each_file()) do
      local text = helper.read("types/" .. name:gsub("%.", "/") .. ".lua")
      for line in text:gmatch "%-%-%-@%l+ [^\n]+" do
        for class in line:gmatch "oras%.%u[%w]*" do
          assert.is_truthy(known[class], class)
        end
      end
    end
  end)

  for _, row in ipairs(OPTIONS) do
    it(("name the options of %s, with their types"):format(row[2]), function()
      check_options(oras.Registry:new {}, row)
    end)
  end

  it("leave out no table of options that a function checks", function()
    local rows = {}
    for _, row in ipairs(OPTIONS) do
      rows["oras." .. row[1]] = true
    end
    for class in pairs(classes()) do
      local is_options = class:find "Options$" and class ~= "oras.AttachOptions"
      assert.is_truthy(not is_options or rows[class], class)
    end
  end)

  it("of attach are those of push", function()
    assert.equal("oras.PushOptions", classes()["oras.AttachOptions"][1])
  end)

  it("name the constants and fields of modules", function()
    local said = classes()
    for _, name in ipairs { "defaults", "json", "oci", "provider", "client" } do
      for field in pairs(said["oras." .. name]) do
        assert.is_truthy(oras[name][field], name .. "." .. field)
      end
    end
    for field in pairs(oras.defaults) do
      assert.is_truthy(said["oras.defaults"][field], field)
    end
    assert.is_truthy(core.version)
  end)

  it("would be caught with a function too many, one too few and other parameters", function()
    local function two(_, _) end
    assert.same({ "x.a is not there" }, compare({}, { a = two }, "x"))
    assert.same({ "x.a is not declared" }, compare({ a = two }, {}, "x"))
    assert.same({ "x.a has other parameters" }, compare({ a = function() end }, { a = two }, "x"))
    assert.has_error(function()
      local function call(registry)
        registry:get_manifest(LAYOUT, {})
      end
      check_options(oras.Registry:new {}, { "ResolveOptions", "get_manifest", call })
    end)
  end)

  it("are taken by lua-language-server", function()
    if not os.execute "command -v lua-language-server >/dev/null 2>&1" then
      return pending "lua-language-server is not installed; neither Debian nor npm has it"
    end
    local status, out = process.shell "lua-language-server --check types --checklevel=Warning"
    assert.equal(0, status, out)
    assert.truthy(out:find("no problems found", 1, true), out)
  end)
end)
