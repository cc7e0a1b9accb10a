--- Helm charts in a registry, stored as helm itself stores them: the chart's metadata is the
--- config, the packed chart a layer, its provenance another.
local oras = require "oras"

---@class oras.helm.Charts : oras.Registry
local Charts = oras.provider.Registry:extend "Charts"

local CONFIG <const> = "application/vnd.cncf.helm.config.v1+json"
local CHART <const> = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
local PROVENANCE <const> = "application/vnd.cncf.helm.chart.provenance.v1.prov"

Charts.media_types = { [CHART] = "chart", [PROVENANCE] = "provenance" }

local function fail(format, ...)
  error(setmetatable({ class = "content", message = format:format(...) }, oras.Error), 0)
end

--- References as helm has them, too: "oci://HOST/..." and a "+" in a version, which is "_" in a tag.
---@param name string|oras.Container
---@return oras.Container
---@raise oras.Error usage
function Charts:get_container(name)
  local rest = type(name) == "string" and (name:match "^oci://(.*)$" or not name:find "^oci:" and name)
  if rest then -- not a layout
    name = rest:gsub(":([^/:@]+)", function(tag)
      return ":" .. tag:gsub("%+", "_")
    end)
  end
  return Charts.super.get_container(self, name)
end

-- Name and version become a file's name: what helm takes for such, and nothing else.
local function check_chart(chart, where)
  local name, version = type(chart) == "table" and chart.name, type(chart) == "table" and chart.version
  if type(name) ~= "string" or not name:find "^[%w_-][%w._-]*$" then
    fail("%s: the chart's name is %s, expected letters, digits, '.', '_' and '-'", where,
      type(name) == "string" and ("%q"):format(name:sub(1, 60)) or "missing")
  elseif type(version) ~= "string" or not version:find "^v?%d+[%w.+-]*$" then
    fail("%s: the version of %s is %s, expected one like 1.2.3", where, name,
      type(version) == "string" and ("%q"):format(version:sub(1, 60)) or "missing")
  end
  return chart
end

local function fetch(self, name)
  local container = self:get_container(name)
  local manifest = self:get_manifest(container)
  local place = container:with_digest(manifest:descriptor().digest)
  if type(manifest.config) ~= "table" or manifest.config.mediaType ~= CONFIG then
    fail("%s is no helm chart: its config is no %s", container.uri, CONFIG)
  end
  return check_chart(self:get_config(place), container.uri), place, manifest, container
end

---@class oras.helm.Inspection
---@field reference string
---@field digest string of the manifest
---@field chart table what Chart.yaml says
---@field file string name of the packed chart, "NAME-VERSION.tgz"
---@field content? { digest: string, size: integer }
---@field provenance boolean is it signed?

--- Show what a chart says about itself, without fetching it.
---
---     oras-lua helm inspect registry.example.com/charts/demo:0.1.0
---@param name string reference of the chart
---@return oras.helm.Inspection
---@raise oras.Error not_found, auth, content, integrity
function Charts:inspect(name)
  local chart, _, manifest, container = fetch(self, name)
  local layers = self:organize_layers(manifest)
  return {
    reference = container.uri,
    digest = manifest:descriptor().digest,
    chart = chart,
    file = ("%s-%s.tgz"):format(chart.name, chart.version),
    content = layers.chart and { digest = layers.chart.digest, size = layers.chart.size },
    provenance = layers.provenance ~= nil,
  }
end

--- Give the text of one file of a chart: values.yaml, README.md, templates/NAME.yaml.
---
---     oras-lua helm show registry.example.com/charts/demo:0.1.0 values.yaml
---@param name string reference of the chart
---@param path string in the chart's directory
---@return string? text nil: there is no such file
---@raise oras.Error not_found, content, integrity, limit
function Charts:show(name, path)
  local chart, place, manifest = fetch(self, name)
  local layer = self:organize_layers(manifest).chart or fail("%s has no chart", place.uri)
  local text
  for entry in self:get_blob(place, layer, { stream = true }):entries() do
    if entry.type == "file" and entry.path == chart.name .. "/" .. path then
      text = entry:read()
    end
  end
  return text
end

--- Bring a chart into NAME-VERSION.tgz, as `helm pull` does, and its provenance beside it.
---
---     oras-lua helm pull registry.example.com/charts/demo:0.1.0 charts
---@param name string reference of the chart
---@param opts? string|table the directory ("."), or the options of Registry:pull
---@return oras.Pulled[]
---@return table descriptor of the manifest
---@raise oras.Error not_found, content, exists, io, integrity, ...
function Charts:pull(name, opts)
  local chart, place = fetch(self, name)
  local how = type(opts) == "string" and { outdir = opts } or {}
  for key, value in pairs(type(opts) == "table" and opts or {}) do
    how[key] = value
  end
  local file = ("%s-%s.tgz"):format(chart.name, chart.version)
  local names = { [CHART] = file, [PROVENANCE] = file .. ".prov" }
  local given = how.name
  function how.name(layer, title)
    local chosen = given and given(layer, title)
    if chosen ~= nil then
      return chosen
    end
    return names[layer.mediaType] or title
  end
  return Charts.super.pull(self, place, how)
end

-- Go's encoding of chart.Metadata: its order of fields, empty ones left out.
local METADATA <const> = {
  "name", "home", "sources", "version", "description", "keywords", "maintainers", "icon", "apiVersion", "condition",
  "tags", "appVersion", "deprecated", "annotations", "kubeVersion", "dependencies", "type",
  maintainers = { "name", "email", "url" },
  dependencies = { "name", "version", "repository", "condition", "tags", "enabled", "import-values", "alias" },
}
local NOT_TEXT <const> = { deprecated = true, enabled = true, ["import-values"] = true }

local function is_empty(value)
  return value == nil or value == oras.json.null or value == "" or value == false
    or (type(value) == "table" and next(value) == nil)
end

local function encoded(value, key, order)
  if order and oras.json.is_array(value) then
    local parts = {}
    for i, one in ipairs(value) do
      parts[i] = encoded(one, key, order)
    end
    return "[" .. table.concat(parts, ",") .. "]"
  elseif order and type(value) == "table" then
    local parts = {}
    for _, name in ipairs(order) do
      if not is_empty(value[name]) then
        parts[#parts + 1] = ("%q:%s"):format(name, encoded(value[name], name, order[name]))
      end
    end
    return "{" .. table.concat(parts, ",") .. "}"
  elseif type(value) == "number" and not NOT_TEXT[key] then
    value = math.type(value) == "integer" and tostring(value) or ("%.14g"):format(value)
  end
  return (oras.json.encode(value):gsub("[<>&]", { ["<"] = "\\u003c", [">"] = "\\u003e", ["&"] = "\\u0026" }))
end

-- What Chart.yaml in a packed chart says, as JSON.
local function read_chart(path)
  local text, directory
  for entry in oras.archive.entries(path) do
    local found = entry.path:match "^([^/]+)/Chart%.yaml$"
    if found and not text then
      text, directory = entry:read(), found
    end
  end
  if not text then
    fail('"%s" has no NAME/Chart.yaml', path)
  end
  local yaml = require "oras.yaml"
  local metadata = encoded(yaml.decode(text, path .. ": Chart.yaml"), nil, METADATA)
  local chart = check_chart(oras.json.decode(metadata), path)
  if chart.name ~= directory then
    fail('"%s": the chart %s is in the directory %s', path, chart.name, directory)
  end
  return chart, metadata
end

local NAMES <const> = "org.opencontainers.image."

local function annotations_of(chart)
  local annotations = {}
  for key, value in pairs(chart.annotations or {}) do
    annotations[key] = value
  end
  local people = {}
  for i, one in ipairs(chart.maintainers or {}) do
    people[i] = one.email and ("%s (%s)"):format(one.name, one.email) or one.name
  end
  for key, value in pairs {
    authors = #people > 0 and table.concat(people, ", ") or false, description = chart.description or false,
    source = chart.sources and chart.sources[1] or false, url = chart.home or false,
  } do
    annotations[NAMES .. key] = annotations[NAMES .. key] or value or nil
  end
  annotations[NAMES .. "title"], annotations[NAMES .. "version"] = chart.name, chart.version
  return annotations
end

-- As with helm, a reference without a tag is where the chart goes, below its own name.
local function target_of(self, name, chart)
  local container, tag = self:get_container(name), chart.version:gsub("%+", "_")
  if not container.implicit_tag then
    return container
  elseif container.kind == "layout" then
    return container:with_tag(tag)
  end
  return self:get_container(("%s/%s/%s:%s"):format(container.registry, container.api_prefix, chart.name, tag))
end

local function exists(path)
  local file <close> = io.open(path, "rb")
  return file ~= nil
end

local function path_of(file)
  return type(file) == "table" and file.path or file
end

--- Store a packed chart as `helm push` does, with the provenance that lies beside it (.prov).
---
--- A reference without a tag is where the chart goes: NAME:VERSION is put behind it.
---
---     oras-lua helm push registry.example.com/charts demo-0.1.0.tgz
---@param name string reference
---@param path string|(string|table)[] of a .tgz that `helm package` made, or a list with it
---@return table descriptor of the manifest
---@return oras.Manifest
---@raise oras.Error io, content, auth, denied, ...
function Charts:push(name, path)
  path = path_of(type(path) == "table" and path[1] or path)
  local chart, metadata = read_chart(path)
  local container = target_of(self, name, chart)

  local function send(make, source, media_type)
    local descriptor, bytes = make(source, media_type)
    descriptor.annotations = nil -- helm has none there
    self:upload_blob(container, bytes, descriptor)
    return descriptor
  end
  local manifest, bytes = self:pack_manifest {
    config = send(oras.oci.ManifestConfig, { data = metadata }, CONFIG),
    layers = { send(oras.oci.NewLayer, path, CHART), exists(path .. ".prov")
      and send(oras.oci.NewLayer, path .. ".prov", PROVENANCE) or nil },
    annotations = annotations_of(chart),
  }
  return self:upload_manifest(container, bytes), manifest
end

return Charts
