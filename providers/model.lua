--- Models in a registry: a directory of big files, each a layer of its own in the media types of
--- the CNCF's model specification (ModelPack). What broke off is taken up again, in both directions.
local core = require "oras.core"
local oras = require "oras"

---@class oras.model.Models : oras.Registry
local Models = oras.provider.Registry:extend "Models"

local MANIFEST <const> = "application/vnd.cncf.model.manifest.v1+json"
local CONFIG <const> = "application/vnd.cncf.model.config.v1+json"
local KIND <const> = "application/vnd.cncf.model.%s.v1.raw"
local TITLE <const>, PATH <const> = "org.opencontainers.image.title", "org.cncf.model.filepath"
local OLD_PATH <const> = "org.cnai.model.filepath" -- of the specification's first drafts

-- What a file is, by its name's end, then by its name.
local ENDS <const> = {
  weight = "bin ckpt gguf h5 joblib keras msgpack npz onnx pb pkl pt pth safetensors tflite",
  ["weight.config"] = "cfg ini jinja json model tiktoken toml txt vocab yaml yml",
  doc = "adoc html jpg md pdf png rst svg",
  code = "c cc cpp cu h ipynb js lua py rs sh",
  dataset = "arrow csv jsonl parquet tsv",
}
local NAMES <const> = { LICENSE = "doc", LICENCE = "doc", NOTICE = "doc", README = "doc", USAGE = "doc" }

local kinds = {}
for kind, ends in pairs(ENDS) do
  for one in ends:gmatch "%S+" do
    kinds[one] = kind
  end
end

local function fail(class, format, ...)
  error(setmetatable({ class = class, message = format:format(...) }, oras.Error), 0)
end

local function check(value, err)
  return value or error(err, 0)
end

local function kind_of(path)
  local name = path:match "[^/]*$"
  return NAMES[name:match "^[^.]*"] or kinds[(name:match "%.([^.]*)$" or ""):lower()] or "weight.config"
end

-- Every regular file below a directory, by its path there, sorted. Hidden ones (.git, .cache) are
-- left out; a symbolic link is refused, as it may lead anywhere.
local function files_in(root, directory, list)
  local names = check(root:list(directory))
  table.sort(names)
  for _, name in ipairs(names) do
    local path = directory == "." and name or directory .. "/" .. name
    local found = name:sub(1, 1) ~= "." and check(root:look(path))
    if found and found.type == "directory" then
      files_in(root, path, list)
    elseif found and found.type == "file" then
      list[#list + 1] = path
    elseif found then
      fail("path", '"%s" is a %s, and only files and directories are stored', path, found.type)
    end
  end
  return list
end

-- The model's config; what is not known of it is left out.
local function config_of(layers)
  local digests = oras.json.array {}
  for i, layer in ipairs(layers) do
    digests[i] = layer.digest -- nothing is packed
  end
  return oras.json.encode {
    descriptor = {}, config = {}, modelfs = { type = "layers", diffIds = digests },
  }
end

--- Store every file of a directory as a layer; what the registry has is not sent again, so that a
--- push that broke off goes on with the next one.
---
---     oras-lua model push registry.example.com/models/tiny:1 tiny-model
---@param name string reference
---@param dir string|(string|table)[] the directory, or a list with it
---@param opts? { annotations?: table, concurrency?: integer, subject?: string, tags?: string[] }
---@return table descriptor of the manifest
---@return oras.Manifest
---@raise oras.Error path, io, content, auth, denied, ...
function Models:push(name, dir, opts)
  dir, opts = type(dir) == "table" and dir[1] or dir, opts or {}
  dir = type(dir) == "table" and dir.path or dir
  local container = self:get_container(name)
  local root <close> = check(core.file.root(dir))
  local paths = files_in(root, ".", {})
  if #paths == 0 then
    fail("path", '"%s" has no files', dir)
  end
  local layers = oras.map(paths, function(path)
    local layer = { mediaType = KIND:format(kind_of(path)), annotations = { [TITLE] = path, [PATH] = path } }
    return (self:upload_blob(container, ("%s/%s"):format(dir:gsub("/+$", ""), path), layer))
  end, { concurrency = opts.concurrency })
  local config, bytes = oras.oci.ManifestConfig({ data = config_of(layers) }, CONFIG)
  config.annotations = nil
  self:upload_blob(container, bytes, config)
  local manifest, raw = self:pack_manifest {
    artifact_type = MANIFEST, config = config, layers = layers, annotations = opts.annotations,
    subject = opts.subject and self:resolve(opts.subject),
  }
  return self:upload_manifest(container, raw, { tags = opts.tags }), manifest
end

-- Where a layer's file goes; checked by pull, as a title is.
local function path_of(layer)
  local annotations = type(layer.annotations) == "table" and layer.annotations or {}
  return annotations[PATH] or annotations[OLD_PATH] or annotations[TITLE]
end

local function with_names(opts)
  local how = type(opts) == "string" and { outdir = opts } or {}
  for key, value in pairs(type(opts) == "table" and opts or {}) do
    how[key] = value
  end
  how.name = how.name or path_of
  return how
end

--- Bring a model's files into a directory. Each is verified and appears complete or not at all;
--- what is there already is not fetched, and what broke off goes on where it was, in the next
--- process, too.
---
---     oras-lua model pull registry.example.com/models/tiny:1 tiny-model
---@param name string reference
---@param opts? string|table the directory ("."), or the options of Registry:pull
---@return oras.Pulled[]
---@return table descriptor of the manifest
---@raise oras.Error not_found, path, integrity, network, io, ...
function Models:pull(name, opts)
  return Models.super.pull(self, name, with_names(opts))
end

---@class oras.model.File
---@field path? string
---@field kind? string "weight", "weight.config", "doc", "code", "dataset"
---@field media_type string
---@field digest string
---@field size integer

--- List the files of a model.
---
---     oras-lua model list registry.example.com/models/tiny:1
---@param name string reference
---@return oras.model.File[]
---@raise oras.Error not_found, auth, content, integrity
function Models:list(name)
  local manifest = self:get_manifest(name)
  local files = oras.json.array {}
  for i, layer in ipairs(manifest.layers or fail("usage", "%s is an index", name)) do
    files[i] = {
      path = path_of(layer), kind = layer.mediaType:match "^application/vnd%.cn[a-z]+%.model%.([%a.]-)%.v1[.+]",
      media_type = layer.mediaType, digest = layer.digest, size = layer.size,
    }
  end
  return files
end

--- Compare the files in a directory with a model's.
---
---     oras-lua model verify registry.example.com/models/tiny:1 tiny-model
---@param name string reference
---@param dir string
---@param opts? table of Registry:verify
---@return oras.Verified[]
---@return table descriptor of the manifest
---@raise oras.Error not_found, path, auth, io, ...
function Models:verify(name, dir, opts)
  return Models.super.verify(self, name, dir, with_names(opts))
end

return Models
