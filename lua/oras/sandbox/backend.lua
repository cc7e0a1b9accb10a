--- What serves a container in the sandbox's child: the parent, which has the registries and layouts
--- (registry/remote.lua, registry/layout.lua are its).
local core = require "oras.core"
local link = require "oras.sandbox.link"
local response = require "oras.response"

local ask <const> = link.ask

local backend = {}

--- The bytes of a manifest, which the parent has verified.
function backend.fetch_manifest(_, container, opts)
  local answer, raw = ask {
    op = "manifest", ref = container.uri, accept = opts.accept, max_bytes = opts.max_bytes,
  }
  core.note_digest(raw, answer.digest)
  return raw, answer.media_type, answer.digest, answer.url
end

--- Type, digest and size of a manifest.
function backend.head_manifest(_, container)
  local answer = ask { op = "head", ref = container.uri }
  return answer.media_type, answer.digest, answer.size
end

--- A blob as a response; a stream stays with the parent, which gives it piece by piece.
function backend.fetch_blob(_, container, wanted, opts)
  if opts.sink then
    link.refuse "a sink"
  end
  local answer, bytes = ask {
    op = "blob", ref = container.uri, digest = wanted.digest, size = wanted.size, max_bytes = wanted.max_bytes,
    range = wanted.range and link.json.array(wanted.range), head = opts.head, stream = opts.stream,
  }
  local made = response.new {
    status = answer.status, headers = answer.headers, url = answer.url, method = answer.method,
    body = answer.handle and core.body(answer.handle) or bytes,
  }
  made.streaming = answer.handle ~= nil
  return made
end

--- Is the blob there?
function backend.blob_exists(_, container, digest)
  return ask({ op = "exists", ref = container.uri, digest = digest }).exists
end

--- Bring a blob into a file that the user has named.
function backend.download(_, container, file)
  ask { op = "download", ref = container.uri, digest = file.digest, size = file.size, path = file.path }
end

--- Pages of tags.
function backend.tag_pages(_, container, opts)
  local id
  return function()
    id = id or ask({ op = "tags", ref = container.uri, page_size = opts.page_size, last = opts.last }).handle
    return ask({ op = "page", handle = id }).items
  end
end

--- Store a manifest.
function backend.put_manifest(_, container, out, tags, opts)
  ask({
    op = "put", ref = container.uri, media_type = out.media_type, tags = link.json.array(tags), part = opts.part,
    referrers = opts.referrers,
  }, out.raw)
end

-- Verbs that the parent does as a whole: the reference, and what else is said in JSON.
for _, verb in ipairs { "tag", "delete_tag", "delete_manifest", "delete_blob" } do
  backend[verb] = function(_, container, what, opts)
    return ask({ op = verb, ref = container.uri, what = what, opts = opts }).value
  end
end

return backend
