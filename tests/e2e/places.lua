--- The real registries of the tests: how to reach them, how to fill them without oras-lua.
local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"
local services = require "tests.support.services"
local wire = require "tests.support.wire"

local quote = wire.quote

local places = {}

---@class tests.Place
---@field name string
---@field service string name for services.get
---@field scheme string
---@field auth? string "basic" or "token"
---@field tls? boolean the CA of the tests signed for it

---@type tests.Place[]
places.list = {
  { name = "docker-registry, open", service = "registry", scheme = "http" },
  { name = "docker-registry with htpasswd", service = "registry_basic", scheme = "http", auth = "basic" },
  { name = "docker-registry with tokens", service = "registry_token", scheme = "http", auth = "token" },
  { name = "docker-registry with TLS", service = "registry_tls", scheme = "https", tls = true },
  { name = "docker-registry with tokens, TLS and a CDN", service = "registry_cdn", scheme = "https",
    auth = "token", tls = true },
  { name = "distribution v3", service = "registry_v3", scheme = "http" },
}

local INDEX <const> = "application/vnd.oci.image.index.v1+json"
local NOTHING <const> = ('{"schemaVersion":2,"mediaType":"%s","manifests":[]}'):format(INDEX)
local EXAMPLE <const> = "examples/layout"

--- "host:port" of a place, or nil and why it is absent.
---@return string?
---@return string?
function places.host(place)
  local host = services.get(place.service)
  if not host then
    return nil, services.missing(place.service)
  end
  return host
end

--- "user:password" of the user that every protected place knows.
function places.user()
  return services.get "user" .. ":" .. services.get "password"
end

--- How curl gets in, for one repository (or a scope).
---@return tests.Access
function places.access(place, repository, scope)
  local access = { scheme = place.scheme, ca = place.tls and services.get "ca" or nil }
  if place.auth == "basic" then
    access.user = places.user()
  elseif place.auth == "token" then
    access.token = faults.token {
      user = services.get "user", scope = scope or ("repository:%s:pull,push"):format(repository),
    }
  end
  return access
end

--- A Registry for a place, which knows the CA but nobody's password.
---@param opts? table
---@param class? table
---@return oras.Registry
function places.registry(place, opts, class)
  opts = opts or {}
  opts.config_path = opts.config_path or "/nonexistent/config.json"
  opts.retry = opts.retry or { wait = 0 }
  if place.tls and opts.tls_verify == nil then
    opts.tls_verify = services.get "ca"
  end
  return (class or require "oras".Registry):new(opts)
end

--- The same, with the right password where one is wanted.
---@return oras.Registry
function places.known(place, opts, class)
  local registry = places.registry(place, opts, class)
  if place.auth then
    registry:set_basic_auth(services.get "user", services.get "password")
  end
  return registry
end

local function curl(access, words)
  local parts = { "curl -sSf --noproxy '*'" }
  if access.ca then
    parts[#parts + 1] = "--cacert " .. quote(access.ca)
  end
  if access.user then
    parts[#parts + 1] = "-u " .. quote(access.user)
  end
  if access.token then
    parts[#parts + 1] = "-H " .. quote("Authorization: Bearer " .. access.token)
  end
  local output, code = wire.run(table.concat(parts, " ") .. " " .. words)
  assert(code == 0, ("curl gave %d for %s"):format(code, words))
  return output
end

local function push_blob(access, base, path, digest)
  local fields = curl(access, ("-i -X POST -d '' %s"):format(quote(base .. "/blobs/uploads/")))
  local location = fields:match "[Ll]ocation: ([^\r\n]+)"
  if location:byte() == 47 then
    location = base:match "^%a+://[^/]+" .. location
  end
  local mark = location:find("?", 1, true) and "&" or "?"
  curl(access, ("-X PUT -H 'Content-Type: application/octet-stream' --data-binary @%s %s"):format(
    quote(path), quote(location .. mark .. "digest=" .. digest)))
end

local function put_manifest(access, base, path, names, media_type)
  curl(access, ("-o /dev/null -X PUT -H 'Content-Type: %s' --data-binary @%s %s"):format(
    media_type, quote(path), quote(base .. "/manifests/" .. names)))
end

local function base_of(place, repository)
  return ("%s://%s/v2/%s"):format(place.scheme, places.host(place), repository)
end

local function blob_path(digest)
  return ("%s/blobs/%s"):format(EXAMPLE, (digest:gsub(":", "/")))
end

--- Push the example layout; gives the reference.
function places.push_example(place, repository)
  local access, base = places.access(place, repository), base_of(place, repository)
  local entry = wire.decode(helper.read(EXAMPLE .. "/index.json")).manifests[1]
  local manifest = wire.decode(helper.read(blob_path(entry.digest)))
  push_blob(access, base, blob_path(manifest.config.digest), manifest.config.digest)
  for _, layer in ipairs(manifest.layers) do
    push_blob(access, base, blob_path(layer.digest), layer.digest)
  end
  put_manifest(access, base, blob_path(entry.digest), "1.0.0-0", entry.mediaType)
  return ("%s/%s:1.0.0-0"):format(places.host(place), repository)
end

--- Put an empty index under every name of curl's range, as in "t[001-250]".
function places.push_tags(place, repository, range)
  local path = helper.write(os.tmpname(), NOTHING)
  put_manifest(places.access(place, repository), base_of(place, repository), path, range, INDEX)
  os.remove(path)
end

--- Make repositories by the names of curl's range, as in "many/r[001-130]". Each has a manifest
--- and takes over a blob of the example in `from`: 2.8 lists those with blobs, v3 those with manifests.
function places.push_repositories(place, range, from)
  local digest = wire.decode(helper.read(EXAMPLE .. "/index.json")).manifests[1].digest
  digest = wire.decode(helper.read(blob_path(digest))).layers[1].digest
  local scope = ("repository:%s:pull,push repository:%s:pull"):format(range, from)
  curl(places.access(place, nil, scope), ("-o /dev/null -X POST -d '' %s"):format(
    quote(("%s/blobs/uploads/?mount=%s&from=%s"):format(base_of(place, range), digest, from))))
  places.push_tags(place, range, "v1")
end

return places
