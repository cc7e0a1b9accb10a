--- Digests: sha256 and sha512.
local core = require "oras.core"
local errors = require "oras.error"

local digest = {}

--- Digest of bytes, "sha256:...".
---@param bytes string
---@param algorithm? string
---@return string
---@raise oras.Error content
function digest.of(bytes, algorithm)
  return errors.check(core.digest.of(bytes, algorithm))
end

--- Digest of a file.
---@param path string
---@param algorithm? string
---@return string
---@raise oras.Error io, content
function digest.of_file(path, algorithm)
  return errors.check(core.digest.of_file(path, algorithm))
end

--- A digest to be computed piece by piece: `:update(bytes)` gives itself, `:final()` the text.
---@param algorithm? string
---@return userdata
---@raise oras.Error content
function digest.new(algorithm)
  return errors.check(core.digest.new(algorithm))
end

--- Read a digest's text.
---@param text string
---@return { algorithm: string, encoded: string, text: string }
---@raise oras.Error usage
function digest.parse(text)
  local parsed, err = core.digest.parse(text)
  if not parsed then
    errors.usage("digest.parse: %s", err.message)
  end
  return parsed
end

return digest
