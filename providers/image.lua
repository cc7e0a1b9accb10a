--- Container images: what their config says, how they were made, and single files out of them,
--- without a daemon and without fetching more than it takes.
local oras = require "oras"

---@class oras.image.Images : oras.Registry
local Images = oras.provider.Registry:extend "Images"

local MAX_LINKS <const> = 40 -- as Linux follows, path_resolution(7)
local MAX_FILE <const> = 64 * 1024 * 1024
local WHITEOUT <const>, OPAQUE <const> = ".wh.", ".wh..wh..opq" -- image-spec layer.md, "Whiteouts"

local function fail(class, format, ...)
  error(setmetatable({ class = class, message = format:format(...) }, oras.Error), 0)
end

-- The manifest of one image, its place by digest, and its config.
local function open(self, name, opts)
  local platform = type(opts) == "string" and opts or type(opts) == "table" and opts.platform or nil
  local container = self:get_container(name)
  local manifest = self:get_manifest(container, { platform = platform })
  if type(manifest.layers) ~= "table" then
    fail("usage", "%s is an index: say which platform, like linux/amd64", container.uri)
  end
  local place = container:with_digest(manifest:descriptor().digest)
  local config = self:get_config(place)
  if type(config) ~= "table" or type(config.rootfs) ~= "table" then
    fail("content", "%s is no image: its config has no rootfs", container.uri)
  end
  return place, manifest, config
end

local function known(value)
  return value ~= oras.json.null and value or nil
end

---@class oras.image.Step
---@field created? string
---@field created_by? string
---@field comment? string
---@field digest? string of the layer; a step that changed no file has none
---@field size? integer

--- Tell how an image was made, step by step: each with its layer, if it has one.
---
---     oras-lua image history docker.io/library/debian:12 linux/amd64
---@param name string reference of the image
---@param opts? string|{ platform?: string } the platform, where the reference is an index
---@return oras.image.Step[]
---@raise oras.Error not_found, auth, content, integrity
function Images:history(name, opts)
  local _, manifest, config = open(self, name, opts)
  local steps, next_layer = oras.json.array {}, 1
  for _, entry in ipairs(known(config.history) or {}) do
    local step = {
      created = known(entry.created), created_by = known(entry.created_by), comment = known(entry.comment),
    }
    if entry.empty_layer ~= true and manifest.layers[next_layer] then
      local layer = manifest.layers[next_layer]
      step.digest, step.size, next_layer = layer.digest, layer.size, next_layer + 1
    end
    steps[#steps + 1] = step
  end
  for i = next_layer, #manifest.layers do -- a history need not be there, or complete
    steps[#steps + 1] = { digest = manifest.layers[i].digest, size = manifest.layers[i].size }
  end
  return steps
end

local function word(value)
  return type(value) == "string" and value ~= "" and value or nil
end

local function platform_of(config)
  local os, architecture = word(config.os), word(config.architecture)
  if not os and not architecture then
    return nil
  end
  return table.concat({ os or "unknown", architecture or "unknown", word(config.variant) }, "/")
end

---@class oras.image.Inspection
---@field reference string
---@field digest string of the manifest
---@field platform? string "os/architecture[/variant]"; none where the image tells neither of the two
---@field created? string
---@field config table what a container starts with: Env, Cmd, Entrypoint, User, ...
---@field layers { digest: string, size: integer, media_type: string }[]
---@field size integer of all layers, as they are stored

--- Show what an image is: its platform, what it starts, its layers.
---
---     oras-lua image inspect docker.io/library/debian:12 linux/arm64
---@param name string reference of the image
---@param opts? string|{ platform?: string } the platform, where the reference is an index
---@return oras.image.Inspection
---@raise oras.Error not_found, auth, content, integrity
function Images:inspect(name, opts)
  local _, manifest, config = open(self, name, opts)
  local layers, size = oras.json.array {}, 0
  for i, layer in ipairs(manifest.layers) do
    layers[i] = { digest = layer.digest, size = layer.size, media_type = layer.mediaType }
    size = size + layer.size
  end
  return {
    reference = self:get_container(name).uri,
    digest = manifest:descriptor().digest,
    platform = platform_of(config),
    created = known(config.created),
    config = known(config.config) or {},
    layers = layers,
    size = size,
  }
end

-- "/etc//os-release", "./etc/os-release" -> "etc/os-release"; ".." goes up, never out.
local function normal(path)
  local parts = {}
  for part in path:gmatch "[^/]+" do
    if part == ".." then
      parts[#parts] = nil
    elseif part ~= "." then
      parts[#parts + 1] = part
    end
  end
  return table.concat(parts, "/")
end

local function parent_of(path)
  return path:match "^(.*)/[^/]*$" or ""
end

-- Everything in a layer that can decide about a path: the path itself, what it lies in, and the
-- marks that take one of them away.
local function decisive(path)
  local wanted = { [path] = "path", [OPAQUE] = "opaque" }
  local at = path
  while at ~= "" do
    local above = parent_of(at)
    local prefix = above ~= "" and above .. "/" or ""
    wanted[prefix .. WHITEOUT .. at:sub(#prefix + 1)] = "whiteout"
    if above ~= "" then
      wanted[above] = "above"
      wanted[above .. "/" .. OPAQUE] = "opaque"
    end
    at = above
  end
  return wanted
end

-- What one layer says about a path. It is read to its end, so that its bytes were verified.
local function look(self, place, layer, path, want_content, max_bytes)
  local found, wanted = {}, decisive(path)
  for entry in self:get_blob(place, layer, { stream = true }):entries() do
    local name = normal(entry.path)
    local kind = wanted[name]
    if kind == "path" then
      found.entry = { type = entry.type, size = entry.size, mode = entry.mode, linkname = entry.linkname }
      found.content = nil
      if entry.type == "file" and want_content then
        if entry.size < 0 or entry.size > max_bytes then -- not known, in what is no tar
          fail("limit", "%s in %s has %d bytes, expected at most %d", path, place.uri, entry.size, max_bytes)
        end
        found.content = entry:read()
      end
    elseif kind == "above" and entry.type == "symlink" then
      if not found.link or #name < #found.link.path then
        found.link = { path = name, target = entry.linkname }
      end
    elseif kind == "above" and entry.type ~= "directory" or kind == "whiteout" or kind == "opaque" then
      found.is_hidden = true -- nothing below this layer shows through
    end
  end
  return found
end

local function target_of(link_path, target, rest)
  local from = target:sub(1, 1) == "/" and "" or parent_of(link_path) .. "/"
  return normal(from .. target .. "/" .. rest)
end

-- From the top layer down: the first that says something about the path decides.
local function find(self, place, layers, path, opts)
  local top, links = #layers, 0
  local i = top
  while i >= 1 and not ("/" .. path):find("/" .. WHITEOUT, 1, true) do -- a mark is no file
    local found = look(self, place, layers[i], path, opts.content, opts.max_bytes)
    local entry, moved = found.entry, nil
    if found.link and not entry then
      moved = target_of(found.link.path, found.link.target, path:sub(#found.link.path + 2))
    elseif entry and entry.type == "symlink" and not opts.no_follow then
      moved = target_of(path, entry.linkname, "")
    elseif entry and entry.type == "hardlink" then
      moved = normal(entry.linkname)
    elseif entry then
      entry.path, entry.layer, entry.content = path, layers[i].digest, found.content
      return entry
    elseif found.is_hidden then
      return nil
    end
    if moved then
      links = links + 1
      if links > MAX_LINKS then
        fail("content", "%s in %s: too many links", path, place.uri)
      end
      -- A hard link is to what this layer, or one below, has; a symbolic one to what is on top.
      i = (entry and entry.type == "hardlink") and i + 1 or top + 1
      path = moved
    end
    i = i - 1
  end
end

local function options_of(opts, content)
  opts = type(opts) == "table" and opts or {}
  return { content = content, max_bytes = opts.max_bytes or MAX_FILE, no_follow = opts.follow == false }
end

---@class oras.image.File
---@field path string as it was found, behind links
---@field type string "file", "directory", "symlink", ...
---@field size integer
---@field mode integer
---@field linkname? string
---@field layer string digest of the layer that it is in

--- Say what a path in an image is and which layer has it. Later layers come first, and what they
--- take away is not there; links are followed as in a container.
---
---     oras-lua image find docker.io/library/debian:12 /etc/os-release linux/amd64
---@param name string reference of the image
---@param path string in the image
---@param opts? string|{ platform?: string, follow?: boolean } `follow`: false tells of a link itself
---@return oras.image.File? nil: there is no such path
---@raise oras.Error not_found, auth, content, integrity
function Images:find(name, path, opts)
  local place, manifest = open(self, name, opts)
  return find(self, place, manifest.layers, normal(path), options_of(opts, false))
end

--- Give the bytes of one file of an image, as a container would see it.
---
---     oras-lua image read docker.io/library/debian:12 /etc/os-release linux/amd64
---@param name string reference of the image
---@param path string in the image
---@param opts? string|{ platform?: string, max_bytes?: integer } at most so many bytes (64 MiB)
---@return string bytes
---@raise oras.Error not_found, limit, content, integrity, auth
function Images:read(name, path, opts)
  local place, manifest = open(self, name, opts)
  local found = find(self, place, manifest.layers, normal(path), options_of(opts, true))
  if not found then
    fail("not_found", 'no "%s" in %s', path, place.uri)
  elseif found.type ~= "file" then
    fail("content", '"%s" in %s is no file but a %s', path, place.uri, found.type)
  end
  return found.content
end

return Images
