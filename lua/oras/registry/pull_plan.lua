--- What pull is going to write, decided and checked before the first byte moves: names, kinds,
--- what is there already, what is left out and why.
local core = require "oras.core"
local defaults = require "oras.defaults"
local errors = require "oras.error"
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
---@field reason string "no title", "media type", "filter", "name", "exists", "same content",
--- "same title and content"

local function title_of(layer)
  local annotations = layer.annotations
  return type(annotations) == "table" and annotations[defaults.annotation_title] or nil
end

--- The media types that may be pulled, as a set; nil: all.
---@param given? string|string[]
---@return table<string, boolean>?
---@raise oras.Error usage
function plan.allowed_types(given)
  if given == nil then
    return nil
  end
  local allowed = {}
  for _, media_type in ipairs(type(given) == "table" and given or { given }) do
    if type(media_type) ~= "string" then
      errors.usage("pull: allowed_media_type is a media type or a list of them, not of a %s", type(media_type))
    end
    allowed[media_type] = true
  end
  return allowed
end

-- Why a layer is left out, or nil and its title.
local function choose(layer, opts, allowed)
  if allowed and not allowed[layer.mediaType] then
    return "media type"
  elseif opts.filter and not opts.filter(layer) then
    return "filter"
  end
  local title = title_of(layer)
  if opts.name then
    local given = opts.name(layer, title)
    if given == false then
      return "name"
    elseif given ~= nil and type(given) ~= "string" then
      errors.usage("pull: name gives a string, nil or false, not a %s", type(given))
    end
    title = given or title
  end
  if title == nil then
    return "no title"
  end
  return nil, title
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

local function add(planned, container, layer, opts, allowed)
  local reason, title = choose(layer, opts, allowed)
  if reason then
    table.insert(planned.skipped, { descriptor = layer, title = title_of(layer), reason = reason })
    return
  end
  local unpack = is_unpacked(layer, opts.unpack)
  table.insert(planned.entries, {
    container = container, descriptor = layer, title = checked_title(title, layer, opts),
    unpack = unpack, prefix = unpack and prefix_of(layer) or nil,
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

--- Plan what is written of some manifests.
---@param manifests { container: oras.Container, doc: oras.Manifest }[]
---@param opts table of pull
---@return { entries: table[], skipped: oras.Skipped[] }
---@raise oras.Error path, exists, usage
function plan.new(manifests, opts)
  local planned, allowed = { entries = {}, skipped = {} }, opts.allowed
  for i, one in ipairs(manifests) do
    if i == 1 then
      add_config(planned, one.container, one.doc, opts)
    end
    if title_of(one.doc.config) then
      add(planned, one.container, one.doc.config, opts, allowed)
    end
    for _, layer in ipairs(one.doc.layers) do
      add(planned, one.container, layer, opts, allowed)
    end
  end
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

--- Look at what is there already; entries that are left as they are move to `skipped`.
---@param planned table
---@param root userdata of core.file.root
---@param outdir string
---@param opts table of pull
---@raise oras.Error path, exists, io
function plan.look(planned, root, outdir, opts)
  local entries = {}
  for _, entry in ipairs(planned.entries) do
    entry.path = outdir == "." and entry.title or ("%s/%s"):format(outdir:gsub("/+$", ""), entry.title)
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
