--- oras-lua inspect: a manifest or index, its config and its layers, for people.
local command = require "oras.cli.command"
local core = require "oras.core"
local describe = require "oras.cli.describe"
local manifests = require "oras.manifest"
local media_types = require "oras.media_types"
local size_text = require("oras.cli.progress").size

local shown <const> = describe.shown

local TITLE <const> = require("oras.defaults").annotation_title

local Page = {}
Page.__index = Page

--- A line "label: value"; none where there is no value.
---@param label string
---@param value any
---@param indent? integer
function Page:add(label, value, indent)
  if value ~= nil then
    local text = ("%s%-14s%s"):format((" "):rep(indent or 0), label .. ":", shown(value))
    self[#self + 1] = text
  end
end

--- A heading with an empty line before it.
---@param text string
function Page:head(text)
  self[#self + 1] = ""
  self[#self + 1] = text
end

--- A line for each annotation; the title stands elsewhere, unless it is the manifest's (indent 0).
---@param map any
---@param indent integer
function Page:annotations(map, indent)
  local keys = {}
  for key in pairs(type(map) == "table" and map or {}) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  for _, key in ipairs(keys) do
    if key ~= TITLE or indent == 0 then
      self[#self + 1] = ("%s%s = %s"):format((" "):rep(indent + 2), shown(key), shown(map[key]))
    end
  end
end

local function platform_text(p)
  if type(p) ~= "table" or type(p.os) ~= "string" or type(p.architecture) ~= "string" then
    return nil
  end
  return require("oras.platform").format(p, type(p.variant) == "string")
end

local function add_blob(page, one)
  local name = one.annotations and one.annotations[TITLE]
  page[#page + 1] = ("  %s  %s  %s%s"):format(one.digest, size_text(one.size), shown(one.mediaType),
    name and "  " .. shown(name) or "")
  page:annotations(one.annotations, 2)
end

-- What an image's config says of how it runs.
local function add_config(page, config)
  local run = type(config.config) == "table" and config.config or {}
  page:add("Platform", platform_text(config), 2)
  page:add("Created", type(config.created) == "string" and config.created or nil, 2)
  page:add("User", type(run.User) == "string" and run.User ~= "" and run.User or nil, 2)
  for _, name in ipairs { "Entrypoint", "Cmd", "Env" } do
    if type(run[name]) == "table" then
      page:add(name, core.json.encode(run[name]), 2)
    end
  end
end

local function add_index(page, index)
  page:head(("Manifests (%d):"):format(#index.manifests))
  for _, one in ipairs(index.manifests) do
    local words = { one.digest, size_text(one.size), shown(one.mediaType) }
    words[#words + 1] = platform_text(one.platform)
    words[#words + 1] = one.artifactType and shown(one.artifactType)
    page[#page + 1] = "  " .. table.concat(words, "  ")
    page:annotations(one.annotations, 2)
  end
end

local function add_manifest(page, manifest, config)
  local total = manifest.config and manifest.config.size or 0
  if manifest.config then
    page:head "Config:"
    add_blob(page, manifest.config)
    if type(config) == "table" then
      add_config(page, config)
    end
  end
  page:head(("Layers (%d):"):format(#manifest.layers))
  for _, layer in ipairs(manifest.layers) do
    add_blob(page, layer)
    total = total + layer.size
  end
  page[#page + 1] = ""
  page:add("Total size", size_text(total))
end

local function page_of(container, manifest, config)
  local page, descriptor = setmetatable({}, Page), manifest:descriptor()
  page:add("Name", container.uri)
  page:add("Digest", descriptor.digest)
  page:add("MediaType", manifest:media_type())
  page:add("ArtifactType", manifest.artifactType)
  page:add("Size", size_text(descriptor.size))
  page:add("Subject", manifest.subject and manifest.subject.digest)
  if type(manifest.annotations) == "table" and next(manifest.annotations) then
    page:head "Annotations:"
    page:annotations(manifest.annotations, 0)
  end
  if manifests.is_index(manifest) then
    add_index(page, manifest)
  elseif type(manifest.layers) == "table" then
    add_manifest(page, manifest, config)
  end
  return table.concat(page, "\n") .. "\n"
end

-- The config when it is a document; an empty one says nothing.
local function config_of(registry, container, manifest)
  local config = manifest.config
  if type(config) ~= "table" or config.mediaType == media_types.empty or not config.mediaType:find "json" then
    return nil
  end
  local found = registry:get_config(container:with_digest(manifest:descriptor().digest))
  return type(found) == "table" and found or nil
end

local function run(registry, words, opts)
  local container = registry:get_container(words[1])
  local manifest = registry:get_manifest(container, { platform = opts.platform })
  local descriptor = manifest:descriptor()
  local result = { document = describe.document(container, descriptor, { manifest = manifest }) }
  if opts.raw then
    result.bytes = manifest:raw()
    return result
  end
  local config = not manifests.is_index(manifest) and config_of(registry, container, manifest) or nil
  result.document.config = config
  result.text = page_of(container, manifest, config)
  return result
end

return command.new {
  name = "inspect",
  usage = "REF",
  about = "Show what a manifest is: its config and layers, or the manifests of an index.",
  example = "oras-lua inspect localhost:5000/app:v1",
  least = 1,
  most = 1,
  flags = {
    { "--raw", about = "print the manifest as it is stored" },
    { "--platform", value = "OS[/ARCH]", kind = "platform", about = "which manifest of an index" },
  },
  run = run,
}
