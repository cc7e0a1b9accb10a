---@meta oras.digest
--- Digests: sha256 and sha512.
--- Written by scripts/types.lua from the library's own comments.

---@class oras.digest
local digest = {}

--- Digest of bytes, "sha256:...".
---@param bytes string
---@param algorithm? string
---@return string
--- Raises oras.Error content
function digest.of(bytes, algorithm) end

--- Digest of a file.
---@param path string
---@param algorithm? string
---@return string
--- Raises oras.Error io, content
function digest.of_file(path, algorithm) end

--- A digest to be computed piece by piece: `:update(bytes)` gives itself, `:final()` the text.
---@param algorithm? string
---@return oras.Hasher
--- Raises oras.Error content
function digest.new(algorithm) end

--- Read a digest's text.
---@param text string
---@return { algorithm: string, encoded: string, text: string }
--- Raises oras.Error usage
function digest.parse(text) end

--- A digest that is computed piece by piece.
---@class oras.Hasher
local Hasher = {}

--- Take more bytes.
---@param bytes string
---@return oras.Hasher itself
function Hasher:update(bytes) end

--- The digest of all of them.
---@return string
function Hasher:final() end

return digest
