--- What pull is going to write, decided and checked before the first byte moves: names, kinds,
--- what is there already, what is left out and why.
local core = require "oras.core"
local defaults = require "oras.defaults"
local errors = require "oras.error"
local glob = require "oras.glob"
local media_types = require "oras.media_types"

local plan = {}

---@class oras.Pulled
---@field path string
---@field descriptor table
---@field unpacked boolean

---@class oras.Skipped
---@field descriptor table
---@field title? string
---@field path? string
---@field unpacked? boolean
---@field reason string "no title", "media type", "filter", "only", "name", "exists", "same content",
--- "same title and content"

local function title_of(layer)
  local annotations = type(layer) == "table" and layer.annotations
  return type(annotations) == "table" and annotations[defaults.annotation_title] or nil
end

local function is_wanted(layer, title, only)
  local found = not only
  for _, one in ipairs(only or {}) do
    if one.given == layer.digest or glob.match(title, one.given) or glob.match(layer.mediaType, one.given) then
      one.used, found = true, true
    end
  end
  return found
end

-- The name that a function of the caller's gives; false leaves the layer out.
local function named_by_caller(layer, title, name)
  local given = name(layer, title)
  if given ~= nil and given ~= false and type(given) ~= "string" then
    errors.usage("pull: name gives a string, nil or false, not a %s", type(given))
  end
  return given
end

-- The name that the caller has for one that is called so; else nil.
local function renamed(layer, title, rename)
  for _, old in ipairs { title or layer.digest, layer.digest } do
    local one = rename and rename[old]
    if one then
      one.used = true
      return one.new
    end
  end
end

-- Why a layer is left out, or nil and its title. What has none gets a name where all are without,
-- or where it is asked for.
local function choose(layer, opts, source)
  if opts.allowed and not opts.allowed[layer.mediaType] then
    return "media type"
  elseif opts.filter and not opts.filter(layer) then
    return "filter"
  end
  local title, given = title_of(layer), nil
  if opts.name then
    given = named_by_caller(layer, title, opts.name)
    if given == false then
      return "name"
    end
  end
  local is_empty = layer.mediaType == media_types.empty and not title
  local name = given or title or not is_empty and source.namer(layer) or nil
  if opts.only and not (name and is_wanted(layer, name, opts.only)) then
    return "only"
  end
  local new = renamed(layer, name, opts.rename)
  local is_named = given or title or new or opts.only or opts.untitled
  if not name or not is_named and (opts.untitled == false or source.has_titles) then
    return "no title"
  end
  return nil, new or name
end

local function is_unpacked(layer, unpack)
  if unpack == "all" then
    return media_types.is_packed_tar(layer.mediaType)
  end
  local annotations = layer.annotations
  return unpack ~= false and type(annotations) == "table" and annotations[defaults.annotation_unpack] == "true"
end

-- A packed directory begins with its own title, whatever it is called here.
local function prefix_of(layer)
  local title = title_of(layer)
  return type(title) == "string" and core.path.title(title, true) or nil
end

local function checked_title(title, layer, opts)
  local clean, err = core.path.title(title, opts.portable == false)
  return clean or errors.raise(errors.name(err, "blob " .. layer.digest, { digest = layer.digest }))
end

-- The permissions that push noted for a file.
local function mode_of(layer)
  local annotations = layer.annotations
  local text = type(annotations) == "table" and annotations[defaults.annotation_mode]
  return type(text) == "string" and text:find "^0?[0-7][0-7][0-7]$" and tonumber(text, 8) or nil
end

local function add(planned, source, layer, opts)
  local reason, title = choose(layer, opts, source)
  if reason then
    table.insert(planned.skipped, { descriptor = layer, title = title_of(layer), reason = reason })
    return
  end
  local unpack = is_unpacked(layer, opts.unpack)
  table.insert(planned.entries, {
    container = source.container, descriptor = layer, title = checked_title(title, layer, opts),
    unpack = unpack, prefix = unpack and prefix_of(layer) or nil, mode = not unpack and mode_of(layer) or nil,
  })
end

local function add_config(planned, container, doc, opts)
  local config = doc.config
  local path, media_type = opts.config_path, opts.config_type
  if not path or type(config) ~= "table" then
    return
  elseif media_type and media_type ~= config.mediaType then
    table.insert(planned.skipped, { descriptor = config, reason = "media type" })
    return
  end
  table.insert(planned.entries, {
    container = container, descriptor = config, title = checked_title(path, config, opts), unpack = false,
  })
end

local function same(a, b)
  return a.title == b.title and a.descriptor.digest == b.descriptor.digest
    and a.unpack == b.unpack and a.prefix == b.prefix
end

local function clash(format, ...)
  errors.raise { class = "exists", message = format:format(...) }
end

-- No two under one name, also where case makes no difference; none below another.
local function check_names(planned, opts)
  local seen, entries = {}, {}
  for _, entry in ipairs(planned.entries) do
    local key = opts.portable == false and entry.title or entry.title:lower()
    local other = seen[key]
    if not other then
      seen[key] = entry
      entries[#entries + 1] = entry
    elseif same(entry, other) then
      table.insert(planned.skipped, {
        descriptor = entry.descriptor, title = entry.title, reason = "same title and content",
      })
    elseif entry.title == other.title then
      clash('two blobs have the title "%s"', entry.title)
    else
      clash('the titles "%s" and "%s" differ only in case', other.title, entry.title)
    end
  end
  for key, entry in pairs(seen) do
    for slash in key:gmatch "()/" do
      local above = seen[key:sub(1, slash - 1)]
      if above then
        clash('the title "%s" is below "%s", which is the title of another blob', entry.title, above.title)
      end
    end
  end
  planned.entries = entries
end

-- What names the layers of a manifest that say no name.
local function source_of(registry, one)
  local source = { container = one.container, has_titles = title_of(one.doc.config) ~= nil }
  for _, layer in ipairs(one.doc.layers) do
    source.has_titles = source.has_titles or title_of(layer) ~= nil
  end
  local namer
  function source.namer(layer)
    namer = namer or require("oras.registry.untitled").namer(registry, one.container, one.doc)
    return namer(layer)
  end
  return source
end

-- What the caller named and what is not there is a mistake, not an empty result.
local function check_used(opts, place)
  local function absent(what)
    errors.raise { class = "not_found", message = ('nothing in %s is called "%s"'):format(place, what) }
  end
  for _, one in ipairs(opts.only or {}) do
    if not one.used then
      absent(one.given)
    end
  end
  for old, one in pairs(opts.rename or {}) do
    if not one.used then
      absent(old)
    end
  end
end

--- Plan what is written of some manifests.
---@param registry oras.Registry
---@param container oras.Container of what was asked for
---@param manifests { container: oras.Container, doc: oras.Manifest }[]
---@param opts table of pull
---@return { entries: table[], skipped: oras.Skipped[] }
---@raise oras.Error path, exists, not_found, usage
function plan.new(registry, container, manifests, opts)
  local planned = { entries = {}, skipped = {} }
  for i, one in ipairs(manifests) do
    local source = source_of(registry, one)
    if i == 1 then
      add_config(planned, one.container, one.doc, opts)
    end
    if title_of(one.doc.config) then
      add(planned, source, one.doc.config, opts)
    end
    for _, layer in ipairs(one.doc.layers) do
      add(planned, source, layer, opts)
    end
  end
  check_used(opts, container.uri)
  check_names(planned, opts)
  return planned
end

local function refuse(class, path, format, ...)
  errors.raise { class = class, message = ('"%s" %s'):format(path, format:format(...)) }
end

-- What stands where an entry is to go: nothing, what is replaced, or the reason to leave it.
local function look(root, entry, path, opts)
  local found, err = root:look(entry.title)
  if err then
    errors.raise(err)
  elseif not found then
    return nil
  elseif found.type == "symlink" then
    refuse("path", path, "is a symbolic link, which is not followed")
  elseif opts.keep_old_files then
    refuse("exists", path, "exists; nothing was pulled, as old files are kept")
  elseif opts.overwrite == false then
    return "exists"
  end
  local wanted = entry.unpack and "directory" or "file"
  if found.type ~= wanted then
    refuse("exists", path, "exists and is no %s", wanted == "file" and "regular file" or wanted)
  end
  entry.existing = found
end

--- The path of a title below the output directory, as messages and results have it.
---@param outdir string
---@param title string
---@return string
function plan.path(outdir, title)
  return outdir == "." and title or ("%s/%s"):format(outdir:gsub("/+$", ""), title)
end

--- Look at what is there already; entries that are left as they are move to `skipped`.
---@param planned table
---@param root userdata of core.file.root
---@param outdir string
---@param opts table of pull
---@raise oras.Error path, exists, io
function plan.look(planned, root, outdir, opts)
  local entries = {}
  for _, entry in ipairs(planned.entries) do
    entry.path = plan.path(outdir, entry.title)
    local reason = look(root, entry, entry.path, opts)
    if reason then
      table.insert(planned.skipped, {
        descriptor = entry.descriptor, title = entry.title, path = entry.path, reason = reason,
      })
    else
      entries[#entries + 1] = entry
    end
  end
  planned.entries = entries
end

return plan
