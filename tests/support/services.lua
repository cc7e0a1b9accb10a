--- What the runner has started, found through the environment that services.sh sets.
---
--- A spec that needs something asks here and is skipped, with the reason, where it is absent:
---     local registry = services.need("registry_token") or pending(services.missing("registry_token"))

local services = {}

local VARIABLES = {
  faults = "ORAS_TEST_FAULTS",
  registry = "ORAS_TEST_REGISTRY",
  registry_basic = "ORAS_TEST_REGISTRY_BASIC",
  registry_token = "ORAS_TEST_REGISTRY_TOKEN",
  registry_tls = "ORAS_TEST_REGISTRY_TLS",
  registry_cdn = "ORAS_TEST_REGISTRY_CDN",
  registry_v3 = "ORAS_TEST_REGISTRY_V3",
  registry_ggcr = "ORAS_TEST_REGISTRY_GGCR",
  cdn = "ORAS_TEST_CDN",
  cdn_log = "ORAS_TEST_CDN_LOG",
  cdn_root = "ORAS_TEST_CDN_ROOT",
  ca = "ORAS_TEST_CA",
  user = "ORAS_TEST_USER",
  password = "ORAS_TEST_PASSWORD",
  peers = "ORAS_TEST_PEERS",
  artifacts = "ORAS_TEST_ARTIFACTS",
  data = "ORAS_TEST_DATA",
}

local REASONS = {
  registry = "docker-registry is not there",
  registry_basic = "docker-registry or htpasswd is not there",
  registry_token = "docker-registry is not there",
  registry_tls = "docker-registry is not there",
  registry_cdn = "docker-registry or nginx is not there",
  registry_v3 = "no distribution v3 'registry' (scripts/peers installs it)",
  registry_ggcr = "no 'ggcr' (scripts/peers builds it where Go is)",
  cdn = "nginx is not there",
  peers = "no peers (scripts/peers installs them)",
  artifacts = "no artifacts of other clients were pushed",
  data = "ORAS_TEST_DATA is not set",
}

--- The value of a service (host:port, a path, a URL), or nil where it was not started.
---@param name string a key of the table above, such as "registry_tls"
---@return string?
function services.get(name)
  local variable = VARIABLES[name]
  if not variable then
    error(("no service is called '%s'"):format(tostring(name)), 2)
  end
  local value = os.getenv(variable)
  return value ~= "" and value or nil
end

--- Why a service is absent, for a skipped test.
---@param name string
---@return string
function services.missing(name)
  return REASONS[name] or ("%s is not set (run under tests/support/services.sh)"):format(VARIABLES[name])
end

--- The path of another client's program, or nil and the reason.
---@param name string "oras", "crane", "regctl", "skopeo", "oras-py", ...
---@return string? path
---@return string? reason
function services.peer(name)
  for _, directory in ipairs { services.get("peers") or "", "/usr/bin", "/usr/local/bin" } do
    local path = directory .. "/" .. name
    local file = directory ~= "" and io.open(path, "rb")
    if file then
      file:close()
      return path
    end
  end
  return nil, ("no '%s' (scripts/peers installs the peers)"):format(name)
end

--- What push_artifacts pushed: the list of its manifest, or nil and the reason.
---@return table[]? list of {name, by, registry, repository, tag, reference, digest, media_type, size}
---@return table[]|string? skipped list of {name, reason}; or why there is no manifest
function services.artifacts()
  local path = services.get("artifacts")
  local file = path and io.open(path, "rb")
  if not file then
    return nil, services.missing("artifacts")
  end
  local text = file:read("a")
  file:close()
  local manifest = require("tests.support.wire").decode(text)
  return manifest.artifacts, manifest.skipped
end

return services
