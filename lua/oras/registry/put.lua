--- Registry methods that store manifests: `upload_manifest`, `pack_manifest` and the steps of
--- both (distribution-spec, "Pushing Manifests").
local core = require "oras.core"
local descriptor = require "oras.descriptor"
local errors = require "oras.error"
local manifest = require "oras.manifest"
local media_types = require "oras.media_types"
local oci = require "oras.oci"
local options = require "oras.options"

local Registry = require "oras.registry"

local UPLOAD <const> = {
  algorithm = "string", media_type = "string", part = "boolean", referrers = "boolean", subject = "string|table",
  tags = "string|table", verify = "boolean",
}

local PACK <const> = {
  algorithm = "string", annotations = "table", artifact_type = "string", config = "table", image_spec = "string",
  layers = "table", manifests = "table", media_type = "string", subject = "string|table",
}

---@class oras.Outgoing a manifest on its way: its bytes are what it is
---@field raw string
---@field media_type string
---@field digest string
---@field size integer
---@field document? table decoded; nil for what is no JSON object
local Outgoing = {}
Outgoing.__index = Outgoing

--- What others are told of it.
---@return table descriptor
function Outgoing:descriptor()
  local artifact_type = self.document and self.document.artifactType
  return oci.descriptor {
    mediaType = self.media_type, digest = self.digest, size = self.size,
    artifactType = type(artifact_type) == "string" and artifact_type or nil,
  }
end

local function guess_type(doc)
  return manifest.type_by_fields(doc)
    or errors.usage "upload_manifest: the manifest says no mediaType; the option media_type says it"
end

-- A mistake in a document of the caller's is a mistake of the call.
local function check_document(raw, media_type, algorithm)
  local doc, err = errors.try(manifest.new, {
    raw = raw, digest = core.digest.of(raw, algorithm), media_type = media_type,
  })
  if not doc then
    err.class, err.message = "usage", "upload_manifest: " .. err.message
    errors.raise(err)
  end
  return doc
end

-- A type as it stands in a field, without parameters.
local function check_type(media_type)
  local NAME <const> = "[%w!#$&^_.+-]+"
  if not media_type:find("^" .. NAME .. "/" .. NAME .. "$") then
    errors.usage("upload_manifest: %q is no media type", media_type)
  end
  return media_type
end

local function of_bytes(raw, media_type, algorithm)
  local doc = core.json.decode(raw, { max_bytes = #raw })
  if type(doc) ~= "table" or core.json.is_array(doc) then
    doc = nil
  end
  if not doc and not media_type then
    errors.usage "upload_manifest: the bytes are no JSON object, so the option media_type has to say what they are"
  end
  media_type = media_type or (doc and doc.mediaType) or guess_type(doc)
  if doc then
    doc = check_document(raw, media_type, algorithm)
  end
  check_type(media_type)
  if doc then
    return { raw = raw, media_type = media_type, document = doc }
  elseif media_types.is_manifest(media_type) or media_types.is_index(media_type) then
    errors.usage "upload_manifest: the bytes are no JSON object"
  end
  return { raw = raw, media_type = media_type }
end

-- A manifest that was received goes out as the bytes that came, unless the table was changed.
local function of_received(doc, media_type)
  local raw = doc:raw()
  local before = manifest.new { raw = raw, digest = doc:descriptor().digest, media_type = doc:media_type() }
  if errors.check(core.json.encode(before)) ~= errors.check(core.json.encode(doc)) then
    raw = errors.check(core.json.encode(doc))
  end
  return of_bytes(raw, media_type or doc.mediaType or doc:media_type())
end

local function of_table(doc, media_type)
  doc = oci.ordered(doc)
  doc.schemaVersion = doc.schemaVersion or 2
  doc.mediaType = doc.mediaType or media_type or guess_type(doc)
  return of_bytes(errors.check(core.json.encode(doc)), media_type)
end

-- The descriptor of a subject: of a reference, a digest in the same repository, a manifest, or as it is.
local function subject_of(self, container, subject)
  if subject == nil then
    return nil
  elseif manifest.is_manifest(subject) then
    return oci.Subject(subject)
  elseif type(subject) == "string" then
    local is_digest = core.digest.parse(subject)
    subject = self:resolve(is_digest and container:with_digest(subject) or subject)
  end
  descriptor.of_caller(subject, "subject")
  return oci.descriptor { mediaType = subject.mediaType, digest = subject.digest, size = subject.size }
end

local function prepare(self, container, given, opts)
  local subject = subject_of(self, container, opts.subject)
  local out
  if type(given) == "string" then
    out = of_bytes(given, opts.media_type)
  elseif manifest.is_manifest(given) and not subject then
    out = of_received(given, opts.media_type)
  elseif type(given) == "table" and not core.json.is_array(given) then
    local doc = subject and options.copied(given) or given
    doc.subject = subject or doc.subject
    out = of_table(doc, opts.media_type)
  else
    errors.usage("upload_manifest: a manifest is bytes or a table, not a %s", type(given))
  end
  if subject and not (out.document and out.document.subject and out.document.subject.digest == subject.digest) then
    errors.usage "upload_manifest: bytes have the subject that they have; the option is for tables"
  end
  out.size = #out.raw
  out.digest = core.digest.of(out.raw, container.digest and container.digest:match "^[^:]+" or opts.algorithm)
  return setmetatable(out, Outgoing)
end

-- The names it gets: the reference's own (unless it is only implied) and those that are asked for.
local function tags_of(container, opts)
  local tags, seen = {}, {}
  local function add(tag)
    container:with_tag(tag)
    if not seen[tag] then
      seen[tag] = true
      tags[#tags + 1] = tag
    end
  end
  local more = options.texts(opts.tags, "upload_manifest: tags")
  if not container.digest and not (container.implicit_tag and #more > 0) then
    add(container.tag)
  end
  for _, tag in ipairs(more) do
    add(tag)
  end
  return tags
end

-- What is there now is what was sent (faults N48).
local function verify(self, container, out, name)
  local found = self:get_manifest(container, { accept = out.media_type .. ", " .. media_types.accept })
  if found:raw() ~= out.raw then
    errors.raise {
      class = "integrity", digest = out.digest, retryable = false,
      message = ("%s gives another manifest as %q than was sent: %s"):format(
        container:place(), name, found:descriptor().digest),
    }
  end
end

-- oras-py has the manifest first.
local function check_order(ref, given)
  local container = require "oras.container"
  if container.is_container(given) or (type(ref) == "table" and not container.is_container(ref)) then
    errors.usage "upload_manifest: the reference comes before the manifest"
  end
end

local function check_algorithm(algorithm, verb)
  if algorithm and algorithm ~= "sha256" and algorithm ~= "sha512" then
    errors.usage('%s: algorithm is "sha256" or "sha512", not %q', verb, algorithm)
  end
end

--- Store a manifest or an index: bytes as they are, a manifest that was received as the bytes
--- that came, a table of one's own encoded, always in the same way.
---
--- It gets the reference's tag and `tags`; with a digest in the reference it is stored by that.
--- Where the registry has no referrers API, the tag that lists the referrers of its subject is
--- kept (not with `referrers = false`). `verify`: read back what was stored.
--- `part`: another manifest leads to it, so that a layout need not list it. `algorithm`: of its
--- digest where the reference has none, "sha256" (the default) or "sha512".
---@param ref string|oras.Container
---@param given string|table
---@param opts? { media_type?: string, tags?: string|string[], subject?: string|table, verify?: boolean, part?: true }
---@return table descriptor mediaType, digest, size, artifactType
---@raise oras.Error usage, integrity, content, auth, denied, limit, ...
function Registry:upload_manifest(ref, given, opts)
  check_order(ref, given)
  local container = self:get_container(ref)
  opts = options.check(opts, UPLOAD, "upload_manifest")
  check_algorithm(opts.algorithm, "upload_manifest")
  local tags = tags_of(container, opts)
  local out = prepare(self, container, given, opts)
  if container.digest and container.digest ~= out.digest then
    errors.usage("upload_manifest: the reference says %s, the manifest is %s", container.digest, out.digest)
  end
  self:_backend(container).put_manifest(self, container, out, tags, opts)
  if opts.verify then
    for _, tag in ipairs(#tags > 0 and tags or { false }) do
      verify(self, tag and container:with_tag(tag) or container:with_digest(out.digest), out, tag or out.digest)
    end
  end
  return out:descriptor()
end

--- Step of upload_manifest: one request that stores it under a tag or its digest.
---@param container oras.Container with that tag or digest
---@param out oras.Outgoing
---@param tags? string[] more tags, for registries that take them in the same request
---@return oras.Response whatever its status
function Registry:put_manifest(container, out, tags)
  return require("oras.registry.remote_manifests").put(self, container, out, tags)
end

local function list_of(given, what)
  local list = core.json.array {}
  for i, one in ipairs(options.list(given, what)) do
    if type(one) ~= "table" then
      errors.usage("%s: descriptors, not a %s", what, type(one))
    end
    list[i] = oci.descriptor(one)
  end
  return list
end

--- Step of push: make a manifest (or, with `manifests`, an index) of descriptors. Without
--- config it gets the empty one, without layers one empty layer (image-spec, "Guidelines for
--- Artifact Usage"); the blob `{}` has to be uploaded then. In `image_spec` "v1.0" no layer is none.
---@param opts table config, layers or manifests, artifact_type, annotations, image_spec, subject, media_type
---@return oras.Manifest
---@return string bytes
---@raise oras.Error usage
function Registry:pack_manifest(opts)
  opts = options.check(opts, PACK, "pack_manifest")
  check_algorithm(opts.algorithm, "pack_manifest")
  local doc = opts.manifests and oci.NewIndex() or oci.NewManifest()
  if opts.manifests then
    doc.manifests = list_of(opts.manifests, "pack_manifest: manifests")
  else
    local empty = oci.empty_descriptor(opts.algorithm)
    doc.config = oci.descriptor(opts.config or empty)
    doc.layers = list_of(opts.layers or {}, "pack_manifest: layers")
    if #doc.layers == 0 and opts.image_spec ~= "v1.0" then
      doc.layers[1] = oci.descriptor(empty)
    end
  end
  doc.mediaType = opts.media_type or doc.mediaType
  doc.artifactType = opts.artifact_type
  doc.annotations = opts.annotations and next(opts.annotations) and opts.annotations or nil
  doc.subject = subject_of(self, nil, opts.subject)
  local raw = errors.check(core.json.encode(doc))
  local out = of_bytes(raw, doc.mediaType, opts.algorithm)
  return out.document, raw
end
