--- oras-lua blob fetch: the bytes of a blob.
local command = require "oras.cli.command"
local describe = require "oras.cli.describe"
local errors = require "oras.error"
local host = require "oras.host"
local raw = require "oras.cli.raw"

local OCTETS <const> = "application/octet-stream"

local function place(registry, word)
  local container = registry:get_container(word)
  if not container.digest then
    errors.usage('"%s" has no digest: a blob is named by one, host/repository@sha256:...', word)
  end
  return container, container.digest
end

-- What a HEAD tells.
local function look(registry, container, digest)
  local response = registry:get_blob(container, digest, { head = true })
  local size = math.tointeger(tonumber(response.headers["Content-Length"]))
  if not size then
    errors.raise { class = "protocol", digest = digest, message = "the registry does not say the size of the blob" }
  end
  return { mediaType = OCTETS, digest = digest, size = size }
end

local function size_of(path)
  local file <close> = io.open(path, "rb")
  return file and file:seek "end"
end

local function run(registry, words, opts)
  local container, digest = place(registry, words[1])
  local output = opts.output
  if output == "-" and (opts.descriptor or opts.format == "json") then
    errors.usage("'%s' and '--output -' both go to standard output",
      opts.descriptor and "--descriptor" or "--format json")
  elseif not output and not opts.descriptor and opts.format ~= "json" and host.is_terminal(1) then
    errors.usage "a blob on a terminal does harm; '--output FILE' stores it, '--output -' prints it all the same"
  end
  local result = {}
  local descriptor
  if output and output ~= "-" then
    registry:download_blob(container, digest, output)
    descriptor = { mediaType = OCTETS, digest = digest, size = size_of(output) }
    result.bytes = ""
  else
    descriptor = look(registry, container, digest)
    if not opts.descriptor and opts.format ~= "json" then
      result = raw.blob(registry, container, descriptor)
    end
  end
  if opts.descriptor then
    result.bytes = describe.json(describe.plain(descriptor), opts.pretty)
  end
  result.document = describe.document(container, descriptor)
  return result
end

return command.new {
  name = "blob fetch",
  usage = "REF@DIGEST",
  about = "Bring a blob, verified, into a file or to standard output.",
  example = "oras-lua blob fetch localhost:5000/app@sha256:... -o data.bin",
  least = 1,
  most = 1,
  flags = {
    { "-o", "--output", value = "FILE", about = "where to; - is standard output" },
    { "--descriptor", about = "print its descriptor" },
    { "--pretty", about = "print JSON on many lines" },
  },
  run = run,
}
