--- What push and attach have in common on the command line besides files: where the manifest is
--- written to, and the document of what was stored.
local core = require "oras.core"
local errors = require "oras.error"

local artifact = {}

local ENOENT <const> = 2

-- A file of the user's choice, tried before anything is sent. It is held open, so that who reads
-- from a pipe waits for us, and what was only made to try it goes again.
local Export = {}
Export.__index = Export

local function refuse(path, message)
  local prefix = path .. ": "
  local reason = message:sub(1, #prefix) == prefix and message:sub(#prefix + 1) or message
  errors.raise { class = "io", message = ('"%s" cannot be written: %s'):format(path, reason) }
end

--- The file that --export-manifest names; nil where there is none, or it is standard output.
---@param path? string
---@return table? closable, with `write`
---@raise oras.Error io
function artifact.export(path)
  if not path or path == "-" then
    return nil
  end
  local _, _, errno = os.rename(path, path) -- changes nothing
  local file, message = io.open(path, "ab")
  if not file then
    refuse(path, message)
  end
  return setmetatable({ path = path, file = file, is_new = errno == ENOENT }, Export)
end

--- Put the bytes there, in place of what was.
---@param bytes string
---@raise oras.Error io
function Export:write(bytes)
  self.is_new = false
  local file, message = io.open(self.path, "wb")
  local ok = file ~= nil
  if ok then
    ok, message = file:write(bytes)
    local closed, why = file:close()
    ok, message = ok and closed, message or why
  end
  if not ok then
    refuse(self.path, message)
  end
end

--- Leave no empty file behind when nothing was written.
function Export:__close()
  self.file:close()
  if self.is_new then
    os.remove(self.path)
  end
end

--- What stands for the artifact from now on: by digest, and by each of its names.
---@param container oras.Container
---@param tags string[]
---@param descriptor table
---@param manifest oras.Manifest
---@return table
function artifact.document(container, tags, descriptor, manifest)
  local names = core.json.array {}
  for _, tag in ipairs(tags) do
    names[#names + 1] = container:with_tag(tag).uri
  end
  table.sort(names)
  return {
    reference = container:with_digest(descriptor.digest).uri,
    mediaType = descriptor.mediaType,
    digest = descriptor.digest,
    size = descriptor.size,
    annotations = manifest.annotations,
    artifactType = manifest.artifactType or manifest.config.mediaType,
    referenceAsTags = names,
  }
end

--- What a command gives that has stored an artifact.
---@param text string for people
---@param document table
---@param opts table with `export_manifest`
---@param export? table of artifact.export
---@param manifest oras.Manifest
---@return table
---@raise oras.Error io
function artifact.result(text, document, opts, export, manifest)
  if export then
    export:write(manifest:raw())
  end
  return {
    text = text,
    line = document.digest .. "\n",
    bytes = opts.export_manifest and not export and manifest:raw() or nil,
    document = document,
  }
end

return artifact
