--- Registry methods that change what is stored under which name: tag, untag, delete.
local descriptor = require "oras.descriptor"
local errors = require "oras.error"
local options = require "oras.options"

local Registry = require "oras.registry"

local UNTAG <const> = { force = "boolean", placeholder = "boolean" }
local DELETE <const> = { find_tags = "boolean" }

-- A list of names, each once; a single one may stand alone.
local function check_names(container, names, verb)
  if type(names) == "string" then
    names = { names }
  elseif type(names) ~= "table" or #names == 0 then
    errors.usage("%s: the second argument is a tag or a list of tags, not %s", verb,
      type(names) == "table" and "an empty list" or "a " .. type(names))
  end
  local list, seen = {}, {}
  for _, name in ipairs(names) do
    if type(name) ~= "string" then
      errors.usage("%s: a tag is a string, not a %s", verb, type(name))
    end
    container:with_tag(name)
    if not seen[name] then
      seen[name] = true
      list[#list + 1] = name
    end
  end
  return list
end

--- Give a manifest more names: its bytes stay what they are.
---@param ref string|oras.Container
---@param names string|string[]
---@return table descriptor
---@raise oras.Error not_found, usage, auth, denied, ...
function Registry:tag(ref, names)
  local container = self:get_container(ref)
  return self:_backend(container).tag(self, container, check_names(container, names, "tag"))
end

--- Take one name away, the reference's own unless another is given. Its manifest and the
--- manifest's other names stay; see delete_tags.
---@param ref string|oras.Container
---@param name? string
---@param opts? { force?: boolean, placeholder?: boolean }
---@return boolean deleted false: there was no such tag
---@raise oras.Error unsupported, usage, auth, denied, ...
function Registry:untag(ref, name, opts)
  local container = self:get_container(ref)
  if name == nil and (container.digest or container.implicit_tag) then
    errors.usage("untag: which tag of %s?", container:place())
  elseif name ~= nil and type(name) ~= "string" then
    errors.usage("untag: a tag is a string, not a %s; delete_tags takes a list", type(name))
  end
  name = check_names(container, name or container.tag, "untag")[1]
  opts = options.check(opts, UNTAG, "untag")
  return self:_backend(container).delete_tag(self, container, name, opts)
end

--- Take names away. The manifests and their other names stay.
---
--- Where a registry deletes no tags, a manifest of our own is put under the name and deleted by
--- its digest (not with `placeholder = false`). Where that fails too, the error says which other
--- tags a delete of the manifest would take; `force = true` does it all the same.
---@param ref string|oras.Container
---@param names string|string[]
---@param opts? { force?: boolean, placeholder?: boolean }
---@return string[] deleted
---@return string[] missing
---@raise oras.Error unsupported, usage, auth, denied, ... its `deleted` lists what is gone already
function Registry:delete_tags(ref, names, opts)
  local container = self:get_container(ref)
  names = check_names(container, names, "delete_tags")
  opts = options.check(opts, UNTAG, "delete_tags")
  local backend, deleted, missing = self:_backend(container), {}, {}
  for _, name in ipairs(names) do
    local found, err = errors.try(backend.delete_tag, self, container, name, opts)
    if err then
      err.deleted = deleted
      errors.raise(err)
    end
    table.insert(found and deleted or missing, name)
  end
  return deleted, missing
end

--- Delete a manifest by its digest, and with it all its names, which are told. They are looked
--- for before, one request a tag of the repository, unless `find_tags` is false.
---@param ref string|oras.Container
---@param opts? { find_tags?: boolean }
---@return string digest
---@return string[]? tags nil: not known
---@raise oras.Error not_found, unsupported, auth, denied, ...
function Registry:delete_manifest(ref, opts)
  local container = self:get_container(ref)
  opts = options.check(opts, DELETE, "delete_manifest")
  local digest = container.digest or self:resolve(container).digest
  return digest, self:_backend(container).delete_manifest(self, container, digest, opts)
end

--- Delete a blob, whichever manifests need it.
---@param ref string|oras.Container
---@param blob string|table digest or descriptor
---@raise oras.Error not_found, unsupported, auth, denied, ...
function Registry:delete_blob(ref, blob)
  local container = self:get_container(ref)
  local digest = descriptor.of_caller(blob, "delete_blob")
  self:_backend(container).delete_blob(self, container, digest)
end
