-- What stream.c calls: `stream` gives and takes its bytes.
local oras = require "oras"

local Stream = oras.Registry:extend "Stream"

function Stream:get(repository, digest, stream)
  self:get_blob(repository, digest, { sink = stream:sink(digest) })
end

function Stream:put(repository, stream)
  return self:upload_blob(repository, { reader = stream, size = stream.size }).digest
end

return Stream
