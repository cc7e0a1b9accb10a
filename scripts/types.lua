--- types: write types/ (LuaCATS definitions for editors) from the comments of the library's files.
---
---     lua5.4 scripts/types.lua [FOLDER]
---
--- types/oras/options.lua is written by hand; tests/spec/types_spec.lua holds it against the tables
--- that options are checked with, and everything else against the functions themselves.
local types = {}

-- Which parameter is which table of options (types/oras/options.lua, or a class of the source).
local OPTIONS <const> = {
  ["Layout:collect"] = "CollectOptions",
  ["Registry:attach"] = "AttachOptions",
  ["Registry:delete_manifest"] = "DeleteManifestOptions",
  ["Registry:delete_tags"] = "UntagOptions",
  ["Registry:discover"] = "DiscoverOptions",
  ["Registry:do_request"] = "RequestOptions",
  ["Registry:download_blob"] = "DownloadOptions",
  ["Registry:get_blob"] = "GetBlobOptions",
  ["Registry:get_manifest"] = "GetManifestOptions",
  ["Registry:get_tags"] = "TagsOptions",
  ["Registry:init"] = "RegistryOptions",
  ["Registry:login"] = "LoginOptions",
  ["Registry:logout"] = "LogoutOptions",
  ["Registry:pack_manifest"] = "PackManifestOptions",
  ["Registry:pull"] = "PullOptions",
  ["Registry:push"] = "PushOptions",
  ["Registry:referrers"] = "ReferrersOptions",
  ["Registry:repositories"] = "RepositoriesOptions",
  ["Registry:resolve"] = "ResolveOptions",
  ["Registry:tags"] = "TagsOptions",
  ["Registry:untag"] = "UntagOptions",
  ["Registry:upload_blob"] = "UploadBlobOptions",
  ["Registry:upload_manifest"] = "UploadManifestOptions",
  ["Registry:verify"] = "VerifyOptions",
  ["Registry:wait_for_rate"] = "WaitForRateOptions",
  ["Response:entries"] = "ArchiveOptions",
  ["archive.entries"] = "ArchiveOptions",
  ["archive.extract"] = "ExtractOptions",
  ["archive.list"] = "ArchiveOptions",
  ["archive.pack"] = "PackOptions",
  ["json.decode"] = "DecodeOptions",
  ["json.encode"] = "EncodeOptions",
  ["oci.NewLayer"] = "LayerOptions",
  ["oras.every"] = "EveryOptions",
  ["oras.map"] = "MapOptions",
  ["task.map"] = "MapOptions",
}

-- Lines of comments that an editor can do more with than the source's own.
local BETTER <const> = {
  ["---@return table descriptor"] = "---@return oras.Descriptor descriptor",
  ["---@return table? descriptor"] = "---@return oras.Descriptor? descriptor",
  ["---@return table[] descriptors"] = "---@return oras.Descriptor[] descriptors",
  ["---@param blob string|table digest"] = "---@param blob string|oras.Descriptor digest",
  ["---@param blob? string|table digest"] = "---@param blob? string|oras.Descriptor digest",
  ["---@return function iterator gives entries"] = "---@return fun(): oras.Entry? iterator gives entries",
  ["---@return function iterator over oras.Entry"] = "---@return fun(): oras.Entry? iterator over oras.Entry",
  ["---@return function iterator$"] = "---@return fun(): string? iterator",
}

local TASK <const> = { ["---@return userdata$"] = "---@return oras.Task" }
local HASHER <const> = { ["---@return userdata$"] = "---@return oras.Hasher" }

-- What each file of types/ has: pieces of source files by the name of their table there and here;
-- classes that are described there; lines of our own.
local FILES <const> = {
  {
    name = "oras", class = "oras", returns = "oras",
    head = "What `require \"oras\"` gives: the library's parts, each read in when it is first used.",
    fields = {
      "archive oras.archive", "client oras.client", "cron oras.cron", "defaults oras.defaults",
      "digest oras.digest", "json oras.json", "layout oras.layout", "log oras.log", "oci oras.oci",
      "provider oras.provider", "task oras.task", "time oras.time", "Registry oras.Registry", "Error oras.Error",
      'version string "0.1.0"',
    },
    parts = {
      { file = "every.lua", anonymous = "every", as = "oras" },
      { file = "task.lua", from = "task", as = "oras", better = TASK },
      { file = "error.lua", from = "errors", as = "oras", only = { try = true } },
    },
    own = {
      "--- Is the file that asks the one that was started (and not loaded by another)?",
      "---@return boolean",
      "function oras.is_main() end",
    },
  },
  {
    name = "oras.registry", returns = "Registry", head = "The base class of providers.",
    tables = { { "Registry", "registry.lua" } },
    classes = {
      ["copy.lua"] = { "CopyOptions", "CopyStats" }, ["backup.lua"] = { "BackupOptions", "BackupItem" },
      ["restore.lua"] = { "RestoreOptions", "RestoreItem" }, ["index.lua"] = { "IndexOptions" },
      ["many.lua"] = { "Item" }, ["verify.lua"] = { "Verified" }, ["pull_plan.lua"] = { "Pulled", "Skipped" },
      ["rate.lua"] = { "Rate" }, ["put.lua"] = { "Outgoing" }, ["../platform.lua"] = { "Platform" },
      ["../retry.lua"] = { "Failure" },
    },
    class_lines = { "---@overload fun(opts?: oras.RegistryOptions): oras.Registry" },
    parts = {
      { file = "registry.lua", from = "Registry" },
      { folder = "registry", from = "Registry" },
    },
    own = {
      "--- Make an object.",
      "---@generic T",
      "---@param self T",
      "---@param opts? oras.RegistryOptions a subclass adds its own in `Class.options`",
      "---@return T",
      "function Registry:new(opts) end",
    },
  },
  {
    name = "oras.class", returns = "Object", head = "What all classes have.",
    tables = { { "Object", "class.lua" } },
    parts = { { file = "class.lua", from = "Object", except = { new = true, extend = true } } },
    own = {
      "--- Make a subclass.",
      "---@generic T",
      "---@param self T",
      "---@param name string shown by tostring and in messages",
      "---@return T class",
      "function Object:extend(name) end",
      "",
      "--- Make an object; the arguments go to `init`. Never overridden.",
      "---@generic T",
      "---@param self T",
      "---@param ... any",
      "---@return T object",
      "function Object:new(...) end",
    },
  },
  {
    name = "oras.container", head = "A parsed reference: what `get_container` gives.",
    tables = { { "Container", "container.lua" } },
    parts = { { file = "container.lua", from = "methods", as = "Container" } },
  },
  {
    name = "oras.manifest", head = "What `get_manifest` gives: the document's fields, and methods on its bytes.",
    tables = { { "Manifest", "manifest.lua" } },
    parts = { { file = "manifest.lua", from = "methods", as = "Manifest" } },
  },
  {
    name = "oras.response", class = "oras.response", returns = "response", head = "What a request gives.",
    tables = { { "Response", "response.lua" } },
    parts = {
      { file = "response.lua", from = "response" },
      { file = "response.lua", from = "methods", as = "Response" },
    },
  },
  {
    name = "oras.error", head = "What methods raise.",
    tables = { { "Error", "error.lua" } },
    parts = {},
  },
  {
    name = "oras.upload", head = "What the steps of an upload are given, for those who override them.",
    tables = { { "Upload", "registry/upload_session.lua" }, { "Body", "registry/sources.lua" } },
    classes = { ["progress.lua"] = { "Progress", "Reporter" } },
    parts = { { file = "registry/sources.lua", from = "Body" } },
  },
  {
    name = "oras.archive", class = "oras.archive", returns = "archive", head = "Archives.",
    tables = { { "Entry", "archive.lua" } },
    parts = { { file = "archive.lua", from = "archive" }, { file = "archive.lua", from = "Entry" } },
    own = { "archive.members = archive.entries" },
  },
  {
    name = "oras.cron", class = "oras.cron", returns = "cron", head = "Times as cron writes them.",
    tables = { { "Cron", "cron.lua" } },
    parts = { { file = "cron.lua", from = "cron" }, { file = "cron.lua", from = "Cron" } },
  },
  {
    name = "oras.digest", class = "oras.digest", returns = "digest", head = "Digests: sha256 and sha512.",
    parts = { { file = "digest.lua", from = "digest", better = HASHER } },
    own = {
      "--- A digest that is computed piece by piece.",
      "---@class oras.Hasher",
      "local Hasher = {}",
      "",
      "--- Take more bytes.",
      "---@param bytes string",
      "---@return oras.Hasher itself",
      "function Hasher:update(bytes) end",
      "",
      "--- The digest of all of them.",
      "---@return string",
      "function Hasher:final() end",
    },
  },
  {
    name = "oras.functions", class = "oras.functions", returns = "functions",
    head = "Functions of the program that this runs in, by the names under which it registered them.",
    fields = { "[string] nil|fun(...: any): any values go to and fro as JSON; nil where none has that name" },
    parts = {},
  },
  {
    name = "oras.glob", class = "oras.glob", returns = "glob", head = "Patterns for names.",
    parts = { { file = "glob.lua", from = "glob" } },
  },
  {
    name = "oras.json", class = "oras.json", returns = "json",
    head = "JSON of registries: integers exact, null distinct, arrays kept, order kept, strict.",
    fields = { "null userdata what JSON's null is in Lua" },
    parts = { { file = "json.lua", from = "json" } },
    own = {
      "--- Mark a table as an array, so that it stays one when empty.",
      "---@generic T",
      "---@param list T",
      "---@return T the same table",
      "function json.array(list) end",
      "",
      "--- Is a value a table that was an array in its document, or was marked as one?",
      "---@param value any",
      "---@return boolean",
      "function json.is_array(value) end",
    },
  },
  {
    name = "oras.layout", class = "oras.layout", returns = "layout", head = "OCI image layouts on disk.",
    tables = { { "Layout", "layout.lua" } },
    parts = { { file = "layout.lua", from = "layout" }, { file = "layout.lua", from = "Layout" } },
  },
  {
    name = "oras.log", class = "oras.log", returns = "log", head = "Lines for whoever runs the program.",
    parts = { { file = "log.lua", from = "log" } },
    own = {
      "--- Something failed.\n---@param format string as string.format takes it\n---@param ... any\n"
        .. "function log.error(format, ...) end\n",
      "--- Something looks wrong but goes on.\n---@param format string\n---@param ... any\n"
        .. "function log.warn(format, ...) end\n",
      "--- What is being done.\n---@param format string\n---@param ... any\nfunction log.info(format, ...) end\n",
      "--- For those who look for a fault.\n---@param format string\n---@param ... any\n"
        .. "function log.debug(format, ...) end",
    },
  },
  {
    name = "oras.oci", class = "oras.oci", returns = "oci", head = "Documents to be filled in.",
    tables = { { "Annotations", "oci.lua" } },
    fields = { "annotations table<string, string> the keys that the specifications define" },
    parts = { { file = "oci.lua", from = "oci" }, { file = "oci.lua", from = "Annotations" } },
  },
  {
    name = "oras.provider", class = "oras.provider", returns = "provider",
    head = "The base class under oras-py's name.",
    fields = { "Registry oras.Registry" },
    parts = { { file = "provider.lua", from = "provider" } },
  },
  {
    name = "oras.client", class = "oras.client", returns = "client", head = "The base class under oras-py's name.",
    fields = { "OrasClient oras.Registry" },
    parts = {},
  },
  {
    name = "oras.defaults", class = "oras.defaults", returns = "defaults",
    head = "Names that the specifications and the oras tools fix.",
    constants = "defaults.lua", parts = {},
  },
  {
    name = "oras.stream", head = "Bytes to and from the program that called a method: its last argument then.",
    tables = { { "Stream", "stream.lua" } },
    class_lines = { "---@overload fun(): string?" },
    parts = { { file = "stream.lua", from = "Stream" } },
  },
  {
    name = "oras.task", class = "oras.task", returns = "task", head = "Functions that run side by side.",
    parts = { { file = "task.lua", from = "task", better = TASK } },
    own = {
      "--- A function that runs beside others.",
      "---@class oras.Task",
      "local Task = {}",
      "",
      "--- Wait for its end.",
      "---@return any ... what it gives",
      "function Task:wait() end",
      "",
      "--- End it where it waits.",
      "function Task:cancel() end",
      "",
      "--- How far it is.",
      "---@return string",
      "function Task:status() end",
    },
  },
  {
    name = "oras.time", class = "oras.time", returns = "time", head = "Times as documents of registries have them.",
    parts = { { file = "time.lua", from = "time" } },
  },
  {
    name = "oras.auth.ecr", class = "oras.auth.ecr", returns = "ecr", head = "Amazon's registries.",
    classes = { ["../auth/ecr.lua"] = { "EcrService" } },
    parts = { { file = "auth/ecr.lua", from = "ecr" } },
  },
}

local ROOT <const> = "lua/oras/"

local function lines_of(path)
  local lines = {}
  for line in io.lines(ROOT .. path) do
    lines[#lines + 1] = line
  end
  return lines
end

-- Pieces of a file: { comment = lines, owner =, mark =, name =, parameters = }.
local function functions_of(path)
  local found, comment = {}, {}
  for _, line in ipairs(lines_of(path)) do
    local owner, mark, name, parameters = line:match "^function ([%w_]+)([.:])([%w_]+)(%b())"
    local anonymous = line:match "^return function(%b())"
    if line:find "^%-%-%-" then
      comment[#comment + 1] = line
    else
      if name or anonymous then
        found[#found + 1] = {
          comment = comment, owner = owner, mark = mark, name = name, parameters = parameters or anonymous,
        }
      end
      comment = {}
    end
  end
  return found
end

local function class_of(path, class)
  local block
  for _, line in ipairs(lines_of(path)) do
    local name = line:match "^%-%-%-@class oras%.([%w_]+)"
    if name then
      block = name == class and {} or nil
    end
    if block and not line:find "^%-%-%-" then
      return block
    elseif block then
      block[#block + 1] = line
    end
  end
  error(("%s: no class %s"):format(path, class))
end

-- The type of the options, which may go on over lines, becomes the class; what is said behind stays.
local function name_options(comment, class)
  local text = table.concat(comment, "\n")
  local first, last, mark = text:find "%-%-%-@param opt[%l]*(%??) "
  if not first then
    return comment
  end
  local rest = text:sub(last + 1)
  local inline = rest:match "^%b{}"
  local behind = rest:sub(#(inline or rest:match "^%S+") + 1)
  local name = text:sub(first, last):match "@param (%l+)"
  text = ("%s---@param %s%s oras.%s%s"):format(text:sub(1, first - 1), name, mark, class, behind)
  local lines = {}
  for line in text:gmatch "[^\n]+" do
    lines[#lines + 1] = line
  end
  return lines
end

local function improved(line, better)
  for _, rules in ipairs { better or {}, BETTER } do
    for pattern, text in pairs(rules) do
      local plain = pattern:gsub("%$$", "")
      if line:sub(1, #plain) == plain and (plain == pattern or #line == #plain) then
        return text .. line:sub(#plain + 1)
      end
    end
  end
  local raised = line:match "^%-%-%-@raise (.*)"
  if raised then
    return "--- Raises " .. raised:gsub("^any (.)", "%1"):gsub("^any$", "what the function raises")
  end
  return line
end

-- Parameters that no comment names are anything.
local function with_all_parameters(comment, parameters)
  local named = {}
  for _, line in ipairs(comment) do
    named[line:match "^%-%-%-@param ([%w_]+)" or line:match "^%-%-%-@param (%.%.%.)" or 0] = true
  end
  for name in parameters:gmatch "[%w_.]+" do
    if not named[name] then
      comment[#comment + 1] = ("---@param %s any"):format(name)
    end
  end
end

local function put_function(out, one, owner, better)
  local name = ("%s%s%s"):format(owner, one.mark, one.name)
  local comment = {}
  for _, line in ipairs(OPTIONS[name] and name_options(one.comment, OPTIONS[name]) or one.comment) do
    comment[#comment + 1] = improved(line, better)
  end
  with_all_parameters(comment, one.parameters)
  out[#out + 1] = table.concat(comment, "\n")
  out[#out + 1] = ("function %s%s end\n"):format(name, one.parameters)
end

local function is_wanted(part, one)
  if part.anonymous then
    return one.name == nil
  end
  local name = one.name
  local is_public = name and (name:sub(1, 1) ~= "_" or name == "_organize_layers")
  return one.owner == part.from and is_public and not (part.except and part.except[name])
    and (not part.only or part.only[name])
end

local function files_in(folder)
  local list = {}
  local pipe <close> = assert(io.popen(("ls %s%s/*.lua"):format(ROOT, folder)))
  for path in pipe:lines() do
    list[#list + 1] = path:sub(#ROOT + 1)
  end
  return list
end

local function put_part(out, part)
  for _, path in ipairs(part.file and { part.file } or files_in(part.folder)) do
    for _, one in ipairs(functions_of(path)) do
      if is_wanted(part, one) then
        if part.anonymous then
          one.mark, one.name = ".", part.anonymous
        end
        put_function(out, one, part.as or part.from, part.better)
      end
    end
  end
end

local function constants_of(path)
  local fields = {}
  for _, line in ipairs(lines_of(path)) do
    local name, value = line:match "^  ([%l_]+) = (.)"
    if name then
      fields[#fields + 1] = ("%s %s"):format(name, value == "{" and "string[]" or "string")
    end
  end
  return fields
end

local function put_classes(out, file)
  local paths = {}
  for path in pairs(file.classes or {}) do
    paths[#paths + 1] = path
  end
  table.sort(paths)
  for _, path in ipairs(paths) do
    for _, class in ipairs(file.classes[path]) do
      local from = path:find("../", 1, true) == 1 and path:sub(4) or "registry/" .. path
      out[#out + 1] = table.concat(class_of(from, class), "\n") .. "\n"
    end
  end
end

local function put_tables(out, file)
  for _, row in ipairs(file.tables or {}) do
    local name, path = row[1], row[2]
    local class = class_of(path, name)
    table.move(file.class_lines or {}, 1, #(file.class_lines or {}), #class + 1, class)
    out[#out + 1] = table.concat(class, "\n")
    out[#out + 1] = ("local %s = {}\n"):format(name)
  end
  if file.class then
    out[#out + 1] = "---@class " .. file.class
    for _, field in ipairs(file.constants and constants_of(file.constants) or file.fields or {}) do
      out[#out + 1] = "---@field " .. field
    end
    out[#out + 1] = ("local %s = {}\n"):format(file.returns)
  end
end

--- The text of one file of types/.
---@param file table
---@return string
function types.text(file)
  local out = {
    "---@meta " .. file.name,
    "--- " .. file.head,
    "--- Written by scripts/types.lua from the library's own comments.\n",
  }
  put_classes(out, file)
  put_tables(out, file)
  for _, part in ipairs(file.parts) do
    put_part(out, part)
  end
  if file.own then
    out[#out + 1] = table.concat(file.own, "\n") .. "\n"
  end
  if file.returns then
    out[#out + 1] = "return " .. file.returns
  end
  return (table.concat(out, "\n"):gsub("\n+$", "") .. "\n")
end

--- All files of types/ that are written: paths below it and their texts.
---@return table<string, string>
function types.all()
  local texts = {}
  for _, file in ipairs(FILES) do
    texts[file.name:gsub("%.", "/") .. ".lua"] = types.text(file)
  end
  return texts
end

--- Write them.
---@param folder string
function types.write(folder)
  for path, text in pairs(types.all()) do
    os.execute(("mkdir -p '%s/%s'"):format(folder, path:match "^(.*)/" or ""))
    local file <close> = assert(io.open(folder .. "/" .. path, "w"))
    file:write(text)
  end
end

if arg and arg[0] and arg[0]:find "scripts/types%.lua$" then
  types.write(arg[1] or "types")
end

return types
