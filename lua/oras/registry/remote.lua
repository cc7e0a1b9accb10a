--- A registry by HTTP, as the backend of the Registry methods (registry/layout.lua is the other).
local core = require "oras.core"
local errors = require "oras.error"
local media_types = require "oras.media_types"
local adopt = require("oras.response").adopt

local remote = {}

-- Small bodies may share an HTTP/2 connection; big ones need a connection that can push back.
local SMALL <const> = 1024 * 1024

-- An override of do_request may give a plain table, or nonsense.
local function ask(registry, ...)
  return adopt(registry:do_request(...), "do_request")
end

--- The bytes of a manifest, their type and digest as the server says.
---@param registry oras.Registry
---@param container oras.Container
---@param opts { accept: string, max_bytes: integer, size?: integer }
---@return string raw
---@return string? media_type
---@return string? digest
---@return string? url
function remote.fetch_manifest(registry, container, opts)
  local response = ask(registry, "GET", container:manifest_url(), {
    accept = opts.accept,
    digest = container.digest,
    http2 = true,
    max_bytes = opts.max_bytes,
    repository = container.api_prefix,
    size = opts.size,
  })
  registry:check_response(response, "manifest", container.digest or container.tag, container)
  local headers = response.headers
  return response.content, media_types.of_field(headers["Content-Type"]), headers["Docker-Content-Digest"], response.url
end

-- Statuses of a HEAD that a GET would not change.
local FINAL <const> = { [401] = true, [403] = true, [429] = true }

--- Type, digest and size of a manifest without its bytes; nil when a HEAD tells too little.
---@return string? media_type
---@return string? digest
---@return integer? size
function remote.head_manifest(registry, container)
  local response = ask(registry, "HEAD", container:manifest_url(), {
    accept = media_types.accept,
    http2 = true,
    repository = container.api_prefix,
  })
  if FINAL[response.status] then
    registry:check_response(response, "manifest", container.digest or container.tag, container)
  end
  if response.status ~= 200 then
    return nil
  end
  local headers = response.headers
  local size = math.tointeger(tonumber(headers["Content-Length"]))
  return media_types.of_field(headers["Content-Type"]), headers["Docker-Content-Digest"], size
end

-- Nothing of the range is there: the server says so, or gives the whole, of which nothing is left.
local function is_past_end(response, wanted)
  if response.status == 200 then
    local size = math.tointeger(tonumber(response.headers["Content-Length"]))
    return size and size <= wanted.range[1]
  end
  return response.status == 416
end

--- A blob as a response.
---@param registry oras.Registry
---@param container oras.Container
---@param wanted { digest: string, size?: integer, max_bytes: integer, range?: integer[] }
---@param opts { head?: boolean, stream?: boolean, sink?: userdata, progress?: table|boolean }
---@return oras.Response
function remote.fetch_blob(registry, container, wanted, opts)
  local size = wanted.size
  local whole = not wanted.range and not opts.head
  local response = ask(registry, opts.head and "HEAD" or "GET", container:blob_url(wanted.digest), {
    digest = whole and wanted.digest or nil,
    http2 = not opts.stream and size ~= nil and size <= SMALL,
    max_bytes = wanted.max_bytes,
    progress = opts.progress,
    range = wanted.range,
    repository = container.api_prefix,
    sink = opts.sink,
    size = whole and size or nil,
    stream = opts.stream,
  })
  if wanted.range and is_past_end(response, wanted) then
    response:close()
    require("oras.registry.range").refuse(wanted, container, wanted.range, response)
  end
  registry:check_response(response, "blob", wanted.digest, container)
  return response
end

--- Is the blob there?
---@return boolean
function remote.blob_exists(registry, container, digest)
  local url = container:blob_url(digest)
  local opts = { http2 = true, repository = container.api_prefix }
  local response = ask(registry, "HEAD", url, opts)
  if response.status == 405 or response.status == 501 then
    opts.stream = true
    response = ask(registry, "GET", url, opts)
    response:close()
  end
  if response.status == 404 then
    return false
  end
  registry:check_response(response, "blob", digest, container)
  return true
end

--- Bring a blob into a file.
---@param registry oras.Registry
---@param container oras.Container
---@param file table fields of core.sink.file, or of what `make` is; `progress`
function remote.download(registry, container, file)
  local size = file.size
  local response = ask(registry, "GET", container:blob_url(file.digest), {
    digest = file.digest,
    file = file,
    http2 = size ~= nil and size <= SMALL,
    progress = file.progress,
    repository = container.api_prefix,
  })
  registry:check_response(response, "blob", file.digest, container)
end

local function add_query(url, name, value)
  return errors.check(core.url.append_query(url, name, tostring(value)))
end

--- URL of the first page of a list.
local function first_page(url, opts)
  if opts.page_size then
    url = add_query("https://" .. url, "n", opts.page_size):sub(9)
  end
  if opts.last then
    url = add_query("https://" .. url, "last", opts.last):sub(9)
  end
  return url
end

--- The next page: only at the same origin, never the same twice (faults N52).
---@param response oras.Response
---@param seen table<string, boolean> pages that were there
---@param answer_url string
---@return string? url nil behind the last page
---@raise oras.Error redirect, protocol
function remote.next_page(response, seen, answer_url)
  local target
  for _, field in ipairs(response.headers "Link") do
    target = target or core.headers.link(field, "next")
  end
  if not target then
    return nil
  end
  local url = errors.check(core.url.resolve(answer_url, target))
  if core.url.origin(url) ~= core.url.origin(answer_url) then
    errors.raise {
      class = "redirect",
      message = ("the next page is at another origin, %s"):format(core.url.origin(url)),
      url = core.url.redact(answer_url),
    }
  elseif seen[url] then
    errors.raise { class = "protocol", message = "the list of pages goes in circles", url = core.url.redact(url) }
  end
  seen[url] = true
  return url
end

local function items_of(response, field)
  local json = require "oras.json"
  local document = response:json { max_bytes = #response.content }
  local is_object = type(document) == "table" and not json.is_array(document)
  local items = is_object and document[field]
  if is_object and (items == nil or items == json.null) then
    return {}
  end
  if not json.is_array(items) then
    errors.raise { class = "content", message = ("/%s is no array"):format(field) }
  end
  for i, item in ipairs(items) do
    if type(item) ~= "string" then
      errors.raise { class = "content", message = ("/%s/%d is no string"):format(field, i - 1) }
    end
  end
  return items
end

local function read_page(response, field, seen)
  local url = remote.next_page(response, seen, response.url)
  return items_of(response, field), url
end

--- Iterate over the pages of a list.
---@param registry oras.Registry
---@param list table `url`, `field` of the document, `kind`, `name` and `place` for messages,
--- `repository` or `scope`
---@param opts { page_size?: integer, last?: string }
---@return function iterator gives arrays of strings
function remote.pages(registry, list, opts)
  local url = first_page(list.url, opts)
  local seen, pages, from = {}, 0, nil
  local what = ("%s of %s"):format(list.field, list.place:place())
  return function()
    if not url then
      return nil
    end
    pages = pages + 1
    local most = registry._limits.pages
    if pages > most then
      errors.raise {
        class = "limit", message = ("%s: the list has more than %d pages"):format(what, most),
        method = "GET", url = errors.check(core.url.redact(url)),
      }
    end
    local response = ask(registry, "GET", url, {
      from = from,
      http2 = true,
      max_bytes = registry._limits.tags,
      purpose = from and "link" or nil,
      repository = list.repository,
      scope = list.scope,
    })
    registry:check_response(response, list.kind, list.name, list.place)
    from = response.hop
    local items
    items, url = errors.try(read_page, response, list.field, seen)
    if not items then
      errors.raise(errors.name(url, what, { method = "GET", url = response.url }))
    end
    return items
  end
end

--- Pages of the tags of a repository.
---@return function iterator
function remote.tag_pages(registry, container, opts)
  return remote.pages(registry, {
    url = container:tags_url(),
    field = "tags",
    kind = "repository",
    name = container.api_prefix,
    place = container,
    repository = container.api_prefix,
  }, opts)
end

--- Something will be written: from now on tokens for the repository are asked for with the right
--- to push, so that one serves all requests.
---@param registry oras.Registry
---@param container oras.Container
---@return table endpoint
function remote.begin_push(registry, container)
  local endpoint = registry:_endpoint(container.host, container.host)
  endpoint.pushes = endpoint.pushes or {}
  endpoint.pushes[container.api_prefix] = true
  return endpoint
end

-- What writes is read in when it is needed: see there.
for name, place in pairs {
  upload = { "remote_write" },
  put_manifest = { "remote_manifests", "store" },
  tag = { "remote_delete" },
  delete_tag = { "remote_delete" },
  delete_manifest = { "remote_delete" },
  delete_blob = { "remote_delete" },
} do
  remote[name] = function(...)
    return require("oras.registry." .. place[1])[place[2] or name](...)
  end
end

return remote
