--- Software bills of materials beside what they are about: SPDX and CycloneDX documents as
--- referrers of a manifest, attached and read.
local oras = require "oras"

---@class oras.sbom.Boms : oras.Registry
local Boms = oras.provider.Registry:extend "Boms"

local SPDX <const>, CYCLONEDX <const> = "application/spdx+json", "application/vnd.cyclonedx+json"
local TEXT_SPDX <const>, XML_CYCLONEDX <const> = "text/spdx", "application/vnd.cyclonedx+xml"

-- The media types of documents; those of JSON are read, the others only stored and listed.
local FORMATS <const> = {
  [SPDX] = "spdx", [TEXT_SPDX] = "spdx", [CYCLONEDX] = "cyclonedx", [XML_CYCLONEDX] = "cyclonedx",
}

local MAX_BYTES <const> = 64 * 1024 * 1024

local function fail(format, ...)
  error(setmetatable({ class = "content", message = format:format(...) }, oras.Error), 0)
end

local function read_file(path)
  local file <close>, err = io.open(path, "rb")
  if not file then
    error(setmetatable({ class = "io", message = err }, oras.Error), 0)
  end
  local text = file:read(MAX_BYTES + 1) or ""
  return #text <= MAX_BYTES and text or fail('"%s" has more than %d bytes', path, MAX_BYTES)
end

local function is_object(value)
  return type(value) == "table" and not oras.json.is_array(value)
end

-- The media type that a document has by its own words.
local function type_of(text, path)
  local document = text:find "^%s*{" and oras.json.decode(text)
  if is_object(document) then
    if type(document.spdxVersion) == "string" then
      return SPDX
    elseif document.bomFormat == "CycloneDX" then
      return CYCLONEDX
    end
  elseif text:find "^SPDXVersion:" or text:find "\nSPDXVersion:" then
    return TEXT_SPDX
  elseif text:find "^%s*<" and text:sub(1, 4096):find "http://cyclonedx%.org/schema/bom/" then
    return XML_CYCLONEDX
  end
  return fail('"%s" is neither an SPDX nor a CycloneDX document', path)
end

--- Attach a document to an image or artifact; which of the formats it has is seen in it.
---
---     oras-lua sbom add registry.example.com/app:1.0 app.spdx.json
---@param name string reference of what the document is about
---@param path string of the document
---@param opts? string|table the platform of an index's child, or the options of Registry:attach
---@return table descriptor of the document's manifest
---@raise oras.Error content, io, not_found, auth, denied, ...
function Boms:add(name, path, opts)
  local media_type = type_of(read_file(path), path)
  local how = type(opts) == "string" and { platform = opts } or {}
  for key, value in pairs(type(opts) == "table" and opts or {}) do
    how[key] = value
  end
  how.artifact_type = how.artifact_type or media_type
  return (self:attach(name, { { path = path, title = path:match "[^/]*$", media_type = media_type } }, how))
end

---@class oras.sbom.Entry
---@field digest string of the document's manifest
---@field format string "spdx" or "cyclonedx"
---@field media_type string

--- List the documents that are attached to something.
---
---     oras-lua sbom list registry.example.com/app:1.0
---@param name string reference
---@param platform? string of an index's child
---@return oras.sbom.Entry[]
---@raise oras.Error not_found, auth, content, ...
function Boms:list(name, platform)
  local entries = oras.json.array {}
  for _, one in ipairs(self:referrers(name, { platform = platform })) do
    local format = FORMATS[one.artifactType]
    if format then
      entries[#entries + 1] = { digest = one.digest, format = format, media_type = one.artifactType }
    end
  end
  return entries
end

local function text(value)
  return type(value) == "string" and value or nil
end

local function each(list)
  return oras.json.is_array(list) and list or {}
end

local function purl_of_spdx(package)
  for _, reference in ipairs(each(package.externalRefs)) do
    if is_object(reference) and reference.referenceType == "purl" then
      return text(reference.referenceLocator)
    end
  end
end

local function license_of_spdx(package)
  local license = text(package.licenseConcluded)
  if not license or license == "NOASSERTION" then
    license = text(package.licenseDeclared)
  end
  return license ~= "NOASSERTION" and license or nil
end

local function license_of_component(component)
  local names = {}
  for _, entry in ipairs(each(component.licenses)) do
    local license = is_object(entry) and (is_object(entry.license) and entry.license or entry) or {}
    names[#names + 1] = text(license.id) or text(license.name) or text(license.expression)
  end
  return names[1] and table.concat(names, " AND ") or nil
end

-- One list of packages, whichever format it comes from; components may hold others.
local function add_components(packages, list)
  for _, component in ipairs(each(list)) do
    if is_object(component) then
      packages[#packages + 1] = {
        name = text(component.name), version = text(component.version), purl = text(component.purl),
        license = license_of_component(component),
      }
      add_components(packages, component.components)
    end
  end
end

-- By format: version, name and packages of a document.
local readers = {}

--- https://spdx.github.io/spdx-spec/v2.3/
function readers.spdx(document)
  local packages = oras.json.array {}
  for _, package in ipairs(each(document.packages)) do
    if is_object(package) then
      packages[#packages + 1] = {
        name = text(package.name), version = text(package.versionInfo), purl = purl_of_spdx(package),
        license = license_of_spdx(package),
      }
    end
  end
  return text(document.spdxVersion), text(document.name), packages
end

--- https://cyclonedx.org/docs/1.6/json/
function readers.cyclonedx(document)
  local packages = oras.json.array {}
  add_components(packages, document.components)
  local about = is_object(document.metadata) and document.metadata.component
  return text(document.specVersion), is_object(about) and text(about.name) or nil, packages
end

---@class oras.sbom.Package
---@field name? string
---@field version? string
---@field purl? string package URL
---@field license? string

---@class oras.sbom.Document : oras.sbom.Entry
---@field version? string of the format
---@field name? string of what the document is about
---@field packages? oras.sbom.Package[] of a document in JSON
---@field document? table of a document in JSON

local function read(self, container, entry)
  local place = container:with_digest(entry.digest)
  local manifest = self:get_manifest(place)
  local result = { digest = entry.digest, format = entry.format, media_type = entry.media_type }
  local layer = type(manifest.layers) == "table" and manifest.layers[1] or fail("%s has no document", place.uri)
  if FORMATS[layer.mediaType] and layer.mediaType:find "json$" then
    local document = self:get_blob(place, layer, { max_bytes = MAX_BYTES }):json()
    if not is_object(document) then
      fail("%s: the document is no object", place.uri)
    end
    result.document = document
    result.version, result.name, result.packages = readers[entry.format](document)
  end
  return result
end

--- Read the documents that are attached to something: what they are about, and the packages.
---
---     oras-lua sbom read registry.example.com/app:1.0
---@param name string reference
---@param platform? string of an index's child
---@return oras.sbom.Document[]
---@raise oras.Error not_found, auth, content, integrity, ...
function Boms:read(name, platform)
  local container, documents = self:get_container(name), oras.json.array {}
  for i, entry in ipairs(self:list(container, platform)) do
    documents[i] = read(self, container, entry)
  end
  return documents
end

return Boms
