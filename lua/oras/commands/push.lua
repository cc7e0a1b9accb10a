--- oras-lua push: files as an artifact.
local command = require "oras.cli.command"
local core = require "oras.core"
local errors = require "oras.error"
local split = require("oras.registry.files").split

local PIECE <const> = 64 * 1024

-- "-" is standard input, which has no title.
local function file_of(word)
  local path, media_type = split(word)
  if path ~= "-" then
    return word
  end
  return {
    media_type = media_type,
    reader = function()
      return io.stdin:read(PIECE)
    end,
  }
end

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

local function new_export(path)
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

-- What stands for the artifact from now on: by digest, and by each of its names.
local function document(container, tags, descriptor, manifest)
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

local function text_of(word, result)
  return ("Pushed %s\nArtifactType: %s\nDigest: %s\n"):format(word, result.artifactType, result.digest)
end

local function all_tags(container, more)
  local tags = { not container.implicit_tag and container.tag or nil }
  return table.move(more or {}, 1, #(more or {}), #tags + 1, tags)
end

local function run(registry, words, opts)
  local reference, more = command.split_tags(words[1])
  local container = registry:get_container(reference)
  local list = {}
  for i = 2, #words do
    list[i - 1] = file_of(words[i])
  end
  local path = opts.export_manifest
  local export <close> = path and path ~= "-" and new_export(path) or nil
  local descriptor, manifest = registry:push(container, list, {
    annotation_file = opts.annotation_file,
    annotations = command.pairs(opts.annotation, "--annotation"),
    artifact_type = opts.artifact_type,
    concurrency = opts.concurrency,
    config = opts.config and file_of(opts.config),
    disable_path_validation = opts.disable_path_validation,
    platform = opts.artifact_platform,
    tags = more,
    untagged = container.implicit_tag,
  })
  local result = document(container, all_tags(container, more), descriptor, manifest)
  if export then
    export:write(manifest:raw())
  end
  return {
    text = text_of(words[1], result),
    line = descriptor.digest .. "\n",
    bytes = path and not export and manifest:raw() or nil,
    document = result,
  }
end

return command.new {
  name = "push",
  usage = "REF[:TAG,...] FILE[:TYPE]...",
  about = "Store files and directories as an artifact in a registry or a layout (oci:DIR:TAG).",
  example = "oras-lua push localhost:5000/app:v1 notes.txt:text/plain",
  least = 1,
  flags = {
    { "-a", "--annotation", value = "KEY=VALUE", many = true, about = "annotation of the manifest" },
    { "--annotation-file", value = "FILE", about = "annotations of manifest, config and files, as JSON" },
    { "--artifact-type", value = "TYPE", about = "what the artifact is" },
    { "--config", value = "FILE[:TYPE]", about = "its config" },
    { "--artifact-platform", value = "OS/ARCH", about = "its platform, in a config made for it" },
    { "--export-manifest", value = "FILE", about = "write the manifest there, too" },
    { "--disable-path-validation", about = "allow files outside of the working directory" },
  },
  run = run,
}
