--- What push is given: "path[:media/type]" or a table becomes an item with a title, a media
--- type and annotations. All of it is checked before the first byte moves.
local core = require "oras.core"
local defaults = require "oras.defaults"
local errors = require "oras.error"
local media_types = require "oras.media_types"
local options = require "oras.options"

local files = {}

---@class oras.Item
---@field name string as the caller wrote it
---@field path? string of a file or directory
---@field directory? boolean
---@field data? string
---@field reader? function
---@field size? integer of what a reader gives
---@field title? string
---@field mode? integer permissions of a single file
---@field media_type string
---@field annotations table<string, string>

local FILE <const> = {
  annotations = "table", data = "string", media_type = "string", path = "string", reader = "function",
  size = "integer", title = "string",
}

local TITLE <const>, MODE <const> = defaults.annotation_title, defaults.annotation_mode

local DIRECTORY_TYPES <const> = {
  gzip = media_types.layer_gzip, none = media_types.layer, zstd = media_types.layer_zstd,
}

local PART <const> = "^[%w][%w!#$&^_.+-]*$"

local function is_media_type(text)
  local kind, subtype = text:match "^([^/]*)/([^/]*)$"
  return kind ~= nil and #kind <= 127 and #subtype <= 127
    and kind:find(PART) ~= nil and subtype:find(PART) ~= nil
end

--- Check a media type.
---@param text string
---@param what string "push: artifact_type"
---@return string
---@raise oras.Error usage
function files.check_type(text, what)
  if not is_media_type(text) then
    errors.usage('%s: %q is no media type, "type/subtype"', what, text)
  end
  return text
end

--- Split "path[:media/type]": the last ":" begins a media type when one follows; "name:" is a
--- name with a colon in it.
---@param text string
---@return string path
---@return string? media_type
function files.split(text)
  local path, rest = text:match "^(.+):([^:]*)$"
  if path and rest == "" then
    return path
  elseif path and is_media_type(rest) then
    return path, rest
  end
  return text
end

--- Check annotations: strings to strings.
---@param annotations table
---@param what string
---@raise oras.Error usage
function files.check_annotations(annotations, what)
  for key, value in pairs(annotations) do
    if type(key) ~= "string" or type(value) ~= "string" then
      errors.usage("%s: annotations are strings by name, %q is a %s", what, tostring(key),
        type(key) == "string" and type(value) or type(key))
    end
  end
end

local function new_item(given, what)
  if type(given) == "string" then
    local path, media_type = files.split(given)
    return { name = path, path = path, media_type = media_type, annotations = {} }
  end
  options.check(given, FILE, what)
  local sources = (given.path and 1 or 0) + (given.data and 1 or 0) + (given.reader and 1 or 0)
  if sources ~= 1 then
    errors.usage("%s: a file has one of path, data and reader", what)
  end
  if given.size and (not given.reader or given.size < 0) then
    errors.usage("%s: size says how much a reader gives", what)
  end
  local item = options.copied(given)
  item.name = given.path or given.title or (given.data and "data" or "reader")
  item.annotations = options.copied(given.annotations or {})
  files.check_annotations(item.annotations, what)
  return item
end

-- A path that is a directory says so only by what opening it as a file gives.
local function look_at(item)
  local source, err = core.source.file(item.path)
  if source then
    item.mode = source:mode()
    source:close()
    return
  end
  local root = err.class == "usage" and core.file.root(item.path)
  if not root then
    errors.raise(err)
  end
  root:close()
  item.directory = true
end

local function outside(item)
  errors.raise {
    class = "path",
    message = ('"%s" is outside of the working directory; disable_path_validation (%s) allows it'):format(
      item.path, "--disable-path-validation"),
  }
end

local function title_of_path(item, unchecked)
  local relative = core.path.relative(item.path, ".")
  if relative == "." then
    errors.raise {
      class = "path", message = ('"%s" is the working directory, which has no title of its own'):format(item.path),
    }
  end
  if relative then
    return relative
  end
  return unchecked and item.path:gsub("^/+", "") or outside(item)
end

-- By the path below the working directory, unless the caller says another.
local function settle_title(item, unchecked)
  local title = item.annotations[TITLE] or item.title
  if not title and item.path then
    title = title_of_path(item, unchecked)
  end
  if title and not unchecked then
    local clean, err = core.path.title(title, true) -- a name that only Windows would not take is stored
    title = clean or errors.raise(errors.name(err, ('title of "%s"'):format(item.name), {}))
  end
  item.title = title
  item.annotations[TITLE] = title
end

local function settle_type(item, compression, what)
  if item.media_type then
    files.check_type(item.media_type, what)
  elseif item.directory then
    item.media_type = DIRECTORY_TYPES[compression]
  else
    item.media_type = media_types.layer
  end
end

-- Titles become paths: two of one name, or one below another, could not both be pulled.
local function check_titles(items)
  local seen = {}
  for _, item in ipairs(items) do
    if item.title then
      if seen[item.title] then
        errors.usage('push: two files have the title "%s"', item.title)
      end
      seen[item.title] = true
    end
  end
  for title in pairs(seen) do
    for parent in title:gmatch "()/" do
      if seen[title:sub(1, parent - 1)] then
        errors.usage('push: "%s" is below "%s", which is pushed, too', title, title:sub(1, parent - 1))
      end
    end
  end
end

--- The items that a caller's list of files means.
---@param list (string|table)[]
---@param opts { compression: string, disable_path_validation?: boolean, annotations?: table,
--- preserve_permissions?: boolean }
--- `annotations`: more of them, by a file's name; `preserve_permissions`: those of files are noted
---@return oras.Item[]
---@raise oras.Error usage, path, io
function files.items(list, opts)
  if type(list) ~= "table" or (next(list) ~= nil and list[1] == nil) then
    local what = type(list) == "table" and "one table with names" or "a " .. type(list)
    errors.usage("push: files are a list, not %s", what)
  end
  local items = {}
  for i, given in ipairs(list) do
    local what = ("push: file %d"):format(i)
    if type(given) ~= "string" and type(given) ~= "table" or given == "" then
      errors.usage('%s is "path[:media/type]" or a table, not %s', what, given == "" and "empty" or "a " .. type(given))
    end
    local item = new_item(given, what)
    for key, value in pairs(opts.annotations and opts.annotations[item.name] or {}) do
      item.annotations[key] = value
    end
    settle_title(item, opts.disable_path_validation)
    if item.path then
      look_at(item)
    end
    settle_type(item, opts.compression, what)
    if opts.preserve_permissions and item.mode then
      item.annotations[MODE] = item.annotations[MODE] or ("%04o"):format(item.mode)
    end
    items[i] = item
  end
  check_titles(items)
  return items
end

--- The item that a config means: no title, and no directory.
---@param given string|table
---@return oras.Item
---@raise oras.Error usage, io
function files.config(given)
  local item = new_item(given, "push: config")
  if item.path then
    look_at(item)
  end
  if item.directory then
    errors.usage('push: config: "%s" is a directory', item.path)
  end
  item.media_type = files.check_type(item.media_type or defaults.unknown_config_media_type, "push: config")
  return item
end

return files
