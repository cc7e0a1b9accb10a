--- Registry methods on blobs: get, ask for, bring into a file.
local core = require "oras.core"
local descriptor = require "oras.descriptor"
local errors = require "oras.error"
local options = require "oras.options"

local Registry = require "oras.registry"

local of_caller <const> = descriptor.of_caller

-- `sink` (of oras.core: the bytes go there, not into the answer) and `progress` are for those who
-- hand a blob on.
local GET <const> = {
  head = "boolean", max_bytes = "integer", progress = "table|boolean", range = "table", sink = "userdata",
  stream = "boolean",
}
local DOWNLOAD <const> = {
  below = "string", durable = "boolean", exact = "boolean", mode = "integer", overwrite = "boolean",
  progress = "table|boolean", resume = "boolean", root = "userdata", twin = "string", unpack = "table",
}
local NONE <const> = {}

--- Get a blob. `content`, `json()`, `chunks()` and `entries()` of the answer give its bytes,
--- which are verified; with `range` (bytes, inclusive) only the size can be.
---@param ref string|oras.Container
---@param blob string|table digest or descriptor
---@param opts? { head?: boolean, range?: integer[], stream?: boolean, max_bytes?: integer }
--- `stream`: bytes come while they arrive, and only as fast as they are read
---@return oras.Response
---@raise oras.Error not_found, integrity, limit, auth, ...
function Registry:get_blob(ref, blob, opts)
  local container = self:get_container(ref)
  local digest, size, given = of_caller(blob, "get_blob")
  opts = options.check(opts, GET, "get_blob")
  local wanted = { digest = digest, size = size, max_bytes = opts.max_bytes or self._limits.blob }
  if opts.range then
    local ranges = require "oras.registry.range"
    wanted.range = ranges.check(opts.range)
    if size and wanted.range[1] >= size then
      ranges.refuse(wanted, container, wanted.range)
    end
  end
  local response = self:_backend(container).fetch_blob(self, container, wanted, opts)
  response.descriptor = given
  return response
end

--- Is a blob there? What cannot be answered is raised, not false.
---@param ref string|oras.Container
---@param blob string|table digest or descriptor
---@return boolean
---@raise oras.Error auth, network, ...
function Registry:blob_exists(ref, blob)
  local container = self:get_container(ref)
  local digest = of_caller(blob, "blob_exists")
  return self:_backend(container).blob_exists(self, container, digest)
end

-- What earlier processes left behind in a directory goes with the first success there.
local function sweep(self, path, opts)
  local dir = path:match "^(.*)/" or "."
  dir = dir == "" and "/" or dir
  local swept = self._swept
  if not swept then
    swept = {}
    self._swept = swept
  end
  if swept[dir] then
    return
  end
  swept[dir] = true
  if opts.root then
    opts.root:sweep(opts.below:match "^(.*)/" or ".")
  else
    core.file.sweep(dir)
  end
end

-- How a directory is unpacked, as core.sink.tree takes it.
local function add_unpack(file, unpack)
  for name, value in pairs(unpack) do
    file[name] = value
  end
  file.make = core.sink.tree
  return file
end

local function check_path(path)
  if type(path) ~= "string" or path == "" then
    errors.usage("download_blob: the path of the file is a string, not %s",
      path == "" and "an empty one" or "a " .. type(path))
  end
end

-- The same content from a file that has it, if it still does.
local function copy_twin(file, twin)
  local source <close> = core.source.file(twin)
  local sink <close> = source and core.sink.file(file)
  return sink and source:into(sink) ~= nil
end

--- Bring a blob into a file, which appears when it is complete and verified. A download
--- that breaks off is taken up again, by the next process too, unless `resume` is false.
---
--- `mode` is the file's, less the umask unless `exact`.
---
--- pull brings everything through here. It gives `root` (of oras.core, the output directory)
--- and `below`, which say where `path` is without following symbolic links, for what is
--- unpacked `unpack`, the options of core.sink.tree, and as `twin` the path of a file that has
--- the same content.
---@param ref string|oras.Container
---@param blob string|table digest or descriptor
---@param path string missing directories are made
---@param opts? { resume?: boolean, overwrite?: boolean, durable?: boolean, mode?: integer, exact?: boolean,
--- root?: userdata, below?: string, unpack?: table, twin?: string, progress?: table|boolean }
---@return string path
---@raise oras.Error not_found, integrity, exists, io, network, ...
function Registry:download_blob(ref, blob, path, opts)
  local container = self:get_container(ref)
  local digest, size = of_caller(blob, "download_blob")
  check_path(path)
  opts = opts and options.check(opts, DOWNLOAD, "download_blob") or NONE
  local file = {
    root = opts.root,
    path = opts.root and opts.below or path,
    shown = path,
    digest = digest,
    size = size,
    resume = opts.resume ~= false,
    overwrite = opts.overwrite ~= false,
    durable = opts.durable,
    mode = opts.mode,
    exact = opts.exact,
    progress = opts.progress,
  }
  if not (opts.twin and copy_twin(file, opts.twin)) then
    self:_backend(container).download(self, container, opts.unpack and add_unpack(file, opts.unpack) or file)
  end
  sweep(self, path, opts)
  return path
end
