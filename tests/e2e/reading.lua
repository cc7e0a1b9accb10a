--- One artifact read by us, and the same bytes read without us: by curl, sha256sum, tar, Python.
local oras = require "oras"

local assert = require "luassert"

local helper = require "tests.spec.helper"
local wire = require "tests.support.wire"

local quote = wire.quote
local TITLE <const> = "org.opencontainers.image.title"
local ACCEPT <const> = table.concat({
  "application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
}, ", ")

local reading = {}

---@class tests.Access how curl gets at a registry
---@field scheme string "http" or "https"
---@field ca? string PEM file
---@field user? string "user:password"
---@field token? string

--- A request of curl; raises when it fails. Redirects are followed.
---@param access tests.Access
---@param url string without scheme
---@param words? string further words for curl
---@return string body
function reading.curl(access, url, words)
  local parts = { "curl -sSfL --noproxy '*'", words or "" }
  if access.ca then
    parts[#parts + 1] = "--cacert " .. quote(access.ca)
  end
  if access.user then
    parts[#parts + 1] = "-u " .. quote(access.user)
  end
  if access.token then
    parts[#parts + 1] = "-H " .. quote("Authorization: Bearer " .. access.token)
  end
  parts[#parts + 1] = quote(access.scheme .. "://" .. url)
  local body, code = wire.run(table.concat(parts, " "))
  assert(code == 0, ("curl gave %d for %s"):format(code, url))
  return body
end

--- The digest of bytes, by sha256sum.
---@param bytes string
---@return string
function reading.sha256(bytes)
  local path = helper.write(os.tmpname(), bytes)
  local text = wire.run("sha256sum <" .. quote(path))
  os.remove(path)
  return "sha256:" .. text:match "^%x+"
end

-- The members of a tar (however it is packed) or zip, as JSON; null when it is neither.
local LIST <const> = [[
import hashlib, io, json, stat, sys, tarfile, zipfile
path = sys.argv[1]
KINDS = {tarfile.REGTYPE: "file", tarfile.AREGTYPE: "file", tarfile.DIRTYPE: "directory",
         tarfile.SYMTYPE: "symlink", tarfile.LNKTYPE: "hardlink"}
out = None
def clean(name):
    while name.startswith("./"):
        name = name[2:]
    return name.rstrip("/")
def digest(source):
    return hashlib.sha256(source.read() if source else b"").hexdigest()
if zipfile.is_zipfile(path):
    with zipfile.ZipFile(path) as z:
        out = [{"path": clean(i.filename), "type": "directory" if i.is_dir() else "file",
                "size": i.file_size, "content": digest(None if i.is_dir() else z.open(i))}
               for i in z.infolist()]
elif tarfile.is_tarfile(path):
    with tarfile.open(path) as t:
        out = [{"path": clean(m.name), "type": KINDS[m.type], "size": m.size, "mode": m.mode,
                "mtime": int(m.mtime), "linkname": m.linkname or None,
                "content": digest(t.extractfile(m) if m.isreg() else None)} for m in t
               if clean(m.name)]
json.dump(out, sys.stdout)
]]

--- What Python lists in an archive, nil when it sees none.
---@param bytes string
---@return table[]?
function reading.python_list(bytes)
  local path = helper.write(os.tmpname(), bytes)
  local text, code = wire.run(("python3 -c %s %s"):format(quote(LIST), quote(path)))
  os.remove(path)
  assert(code == 0, "python3 could not list the archive")
  local list = oras.json.decode(text)
  return list ~= oras.json.null and list or nil
end

--- Our entries, with the digest of each one's content.
local function our_list(entries)
  local list = {}
  for entry in entries do
    local content = entry.type == "file" and entry:read() or ""
    list[#list + 1] = {
      path = entry.path, type = entry.type, size = entry.size, mode = entry.mode,
      mtime = entry.mtime, linkname = entry.linkname,
      content = reading.sha256(content):sub(8), bytes = content,
    }
  end
  return list
end

local function check_members(expected, entries)
  local ours = our_list(entries)
  assert.equal(#expected, #ours)
  for i, member in ipairs(expected) do
    for name, value in pairs(member) do
      local shown = ("%s of %s"):format(name, member.path)
      if value == oras.json.null then
        value = nil
      end
      if not (name == "size" and ours[i].size == -1) then
        assert.equal(value, ours[i][name], shown)
      end
    end
  end
  return ours
end

local function collect(chunks)
  local parts = {}
  for chunk in chunks do
    parts[#parts + 1] = chunk
  end
  return table.concat(parts)
end

local function check_range(registry, ref, blob, bytes)
  if #bytes == 0 then
    return
  end
  local first = #bytes // 3
  local last = math.min(#bytes - 1, first + 99)
  local part = registry:get_blob(ref, blob, { range = { first, last } })
  assert.equal(bytes:sub(first + 1, last + 1), part.content)
end

local function check_download(registry, ref, blob, bytes)
  local dir = helper.directory()
  local path = dir .. "/new/blob"
  assert.equal(path, registry:download_blob(ref, blob, path))
  assert.equal(bytes, helper.read(path))
  assert.equal(blob.digest, oras.digest.of_file(path))
  assert.equal("blob", helper.list(dir .. "/new"))
end

--- A blob by every way there is; gives its bytes.
function reading.check_blob(registry, ref, blob, bytes)
  assert.equal(blob.digest, reading.sha256(bytes))
  assert.is_true(registry:blob_exists(ref, blob))
  assert.equal(bytes, registry:get_blob(ref, blob).content)
  assert.equal(bytes, registry:get_blob(ref, blob.digest).content)
  assert.equal(bytes, collect(registry:get_blob(ref, blob):chunks()))
  assert.equal(bytes, collect(registry:get_blob(ref, blob, { stream = true }):chunks()))
  assert.equal(bytes, registry:get_blob(ref, blob, { stream = true }).content)
  local head = registry:get_blob(ref, blob, { head = true })
  assert.equal(200, head.status)
  assert.equal("", head.content)
  check_range(registry, ref, blob, bytes)
  check_download(registry, ref, blob, bytes)
end

--- The members of a blob that is an archive; nil when it is none.
function reading.check_archive(registry, ref, blob, bytes)
  local expected = reading.python_list(bytes)
  if not expected then
    return nil
  end
  check_members(expected, registry:get_blob(ref, blob):entries())
  return check_members(expected, registry:get_blob(ref, blob, { stream = true }):entries())
end

local function base_of(container)
  return ("%s/v2/%s/"):format(container.registry, container.api_prefix)
end

--- The bytes of a blob as curl gets them.
function reading.fetch_blob(access, container, digest)
  return reading.curl(access, base_of(container) .. "blobs/" .. digest)
end

--- A manifest or index: ours has curl's bytes, and everything that follows from them.
---@return oras.Manifest
function reading.check_manifest(registry, access, ref)
  local container = registry:get_container(ref)
  local name = container.digest or container.tag
  local raw = reading.curl(access, base_of(container) .. "manifests/" .. name, "-H " .. quote("Accept: " .. ACCEPT))
  local digest = reading.sha256(raw)
  local doc = registry:get_manifest(ref)

  assert.equal(raw, doc:raw())
  local descriptor = doc:descriptor()
  assert.equal(digest, descriptor.digest)
  assert.equal(#raw, descriptor.size)
  assert.equal(descriptor.mediaType, doc:media_type())
  local resolved = registry:resolve(ref)
  assert.same({ digest, #raw, doc:media_type() }, { resolved.digest, resolved.size, resolved.mediaType })
  local again = registry:get_manifest(container:with_digest(digest))
  assert.equal(raw, again:raw())
  return doc
end

local function check_config(registry, ref, doc, bytes)
  local config, descriptor = registry:get_config(ref)
  assert.equal(doc.config.digest, descriptor.digest)
  if bytes == "" then
    assert.same({}, config)
  elseif type(config) == "table" then
    assert.same(oras.json.decode(bytes), config)
  else
    assert.equal(bytes, config)
  end
end

local function check_layers(registry, doc)
  local by_type, titles = {}, {}
  for _, layer in ipairs(doc.layers) do
    local list = by_type[layer.mediaType] or {}
    by_type[layer.mediaType] = list
    list[#list + 1] = layer
    titles[#titles + 1] = (layer.annotations or {})[TITLE]
  end
  local layers = registry:organize_layers(doc)
  for media_type, list in pairs(by_type) do
    assert.same(list, layers:all(media_type))
    assert.equal(list[1].digest, layers[media_type].digest)
  end
  return titles
end

---@class tests.Seen
---@field manifest oras.Manifest
---@field titles string[] in the manifest's order
---@field archives table<string, table[]> members by the layer's title or digest

--- Everything that is below a manifest; no index.
---@return tests.Seen
function reading.check_all(registry, access, ref)
  local doc = reading.check_manifest(registry, access, ref)
  local container = registry:get_container(ref)
  local archives = {}
  local config = reading.fetch_blob(access, container, doc.config.digest)
  reading.check_blob(registry, ref, doc.config, config)
  check_config(registry, ref, doc, config)
  for _, layer in ipairs(doc.layers) do
    local bytes = reading.fetch_blob(access, container, layer.digest)
    assert.equal(layer.size, #bytes)
    reading.check_blob(registry, ref, layer, bytes)
    archives[(layer.annotations or {})[TITLE] or layer.digest] =
      reading.check_archive(registry, ref, layer, bytes)
  end
  return { manifest = doc, titles = check_layers(registry, doc), archives = archives }
end

--- Paths of members, in their order, joined by blanks.
function reading.paths(members)
  local paths = {}
  for i, member in ipairs(members) do
    paths[i] = member.path
  end
  return table.concat(paths, " ")
end

return reading
