--- Amazon's registries, ECR and ECR Public: the password of the user AWS is a token that Amazon's API
--- gives for a signed request (GetAuthorizationToken). It is kept until it expires.
local aws = require "oras.auth.aws"
local core = require "oras.core"
local errors = require "oras.error"
local once = require "oras.auth.once"
local private = require "oras.registry.private"

local ecr = {}

local LEEWAY <const> = 0.9 -- of a password's life
local MAX_LIFE <const> = 12 * 3600 -- seconds; what Amazon gives today
local MAX_BODY <const> = 64 * 1024

---@class oras.EcrService
---@field name string the service that is signed for
---@field region string
---@field target string the operation
---@field host string where the API lives
---@field variable string of the environment: its endpoint

local function private_service(region, host)
  return {
    name = "ecr", region = region, host = host, variable = "AWS_ENDPOINT_URL_ECR",
    target = "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken",
  }
end

local PUBLIC <const> = {
  name = "ecr-public", region = "us-east-1", host = "api.ecr-public.us-east-1.amazonaws.com",
  variable = "AWS_ENDPOINT_URL_ECR_PUBLIC", target = "SpencerFrontendService.GetAuthorizationToken",
}

-- The hosts of registries, and the API's of the same region (AWS general reference, "Amazon ECR
-- endpoints and quotas").
local HOSTS <const> = {
  { "^%d+%.dkr%.ecr%.([%l%d-]+)%.(amazonaws%.com)$", "api.ecr.%s.%s" },
  { "^%d+%.dkr%.ecr%.([%l%d-]+)%.(amazonaws%.com%.cn)$", "api.ecr.%s.%s" },
  { "^%d+%.dkr%.ecr%.([%l%d-]+)%.(amazonaws%.eu)$", "api.ecr.%s.%s" },
  { "^%d+%.dkr%.ecr%-fips%.([%l%d-]+)%.(amazonaws%.com)$", "ecr-fips.%s.%s" },
  { "^%d+%.dkr%-ecr%.([%l%d-]+)%.on%.(aws)$", "ecr.%s.api.%s" },
  { "^%d+%.dkr%-ecr%-fips%.([%l%d-]+)%.on%.(aws)$", "ecr-fips.%s.api.%s" },
}

--- Which service a registry's name belongs to.
---@param hostname string
---@return oras.EcrService? nil for a host that is none of Amazon's
function ecr.service(hostname)
  local host = hostname:lower():gsub(":443$", "")
  if host == "public.ecr.aws" then
    return PUBLIC
  end
  for _, row in ipairs(HOSTS) do
    local region, domain = host:match(row[1])
    if region then
      return private_service(region, row[2]:format(region, domain))
    end
  end
end

-- Another name for a registry of Amazon's is one only if the user says so: `hostname` and
-- auth_backend = "ecr". Then the region does not stand in it.
local function named_service(registry, host)
  local service = ecr.service(host)
  if service or registry.hostname ~= host then
    return service
  end
  local region = aws.variable "AWS_REGION" or aws.variable "AWS_DEFAULT_REGION"
  if not region or not region:find "^[%l%d-]+$" then
    errors.raise { class = "config", message = ("%s does not name its region, AWS_REGION is to"):format(host) }
  end
  return private_service(region, ("api.ecr.%s.amazonaws.com"):format(region))
end

local function url_of(service)
  local url = aws.variable(service.variable) or aws.variable "AWS_ENDPOINT_URL" or "https://" .. service.host
  local origin, err = core.url.origin(url)
  if not origin then
    errors.raise { class = "config", message = "the endpoint of " .. service.name .. ": " .. err.message }
  end
  return url:find "^%a+://[^/]+$" and url .. "/" or url, origin
end

local function request_of(registry, asked, service, keys)
  local url, origin = url_of(service)
  return {
    method = "POST",
    url = url,
    origin = origin,
    endpoint = asked.endpoint, -- for its client; a client certificate is the registry's alone
    headers = { ["Content-Type"] = "application/x-amz-json-1.1", ["X-Amz-Target"] = service.target },
    body = "{}",
    secret = errors.check(core.auth.aws(origin, keys.access_key, keys.secret_key,
      { region = service.region, service = service.name, session_token = keys.session_token })),
    purpose = "token",
    auth = false,
    timeouts = registry._settings.timeout,
    new_sink = core.sink.memory,
    expect = { limit = MAX_BODY },
  }
end

-- Amazon's errors have a type, of which the end tells most: "com.amazon...#AccessDeniedException".
local function refuse(response, service, request)
  local status = require "oras.registry.status"
  local document = response.status < 500 and core.json.decode(response.content)
  local kind = type(document) == "table" and document.__type
  if type(kind) ~= "string" then
    status.raise(response, "token of " .. service.name)
  end
  local words = document.message or document.Message
  local said = kind:match "[^#]*$" .. (type(words) == "string" and ": " .. words or "")
  errors.raise {
    class = "auth",
    message = ("%s gives no token: %s"):format(service.name, status.sanitise(status.hide(said, request))),
    method = request.method,
    status = response.status,
    url = core.url.redact(request.url),
    retryable = false,
  }
end

local function life_of(data)
  local expires = data.expiresAt
  local life = type(expires) == "number" and expires - core.clock.time() or MAX_LIFE
  return math.max(0, math.min(life, MAX_LIFE)) * LEEWAY
end

-- ECR gives a list (of one for each registry that is asked for), ECR Public what stands in one.
local function credentials_of(response, service, started)
  local document = core.json.decode(response.content)
  local data = type(document) == "table" and document.authorizationData
  data = type(data) == "table" and (data[1] or data) or {}
  local token = type(data.authorizationToken) == "string" and core.base64.decode(data.authorizationToken)
  local user, password = (token or ""):match "^([^:%c]+):([^%c]+)$"
  if not user then
    errors.raise { class = "auth", message = ("the answer of %s has no token"):format(service.name), retryable = false }
  end
  return { username = user, password = password, fresh_until = started + life_of(data) }
end

local function fetch(registry, asked, service, keys)
  local request = request_of(registry, asked, service, keys)
  local started = core.clock.monotonic()
  local response = require("oras.registry.exchange").perform(registry, request)
  if response.status ~= 200 then
    refuse(response, service, request)
  end
  return credentials_of(response, service, started)
end

-- What an object has, by service and region.
local function kept_by(registry)
  local hidden = private[registry]
  hidden.ecr = hidden.ecr or { found = {}, pending = {} }
  return hidden.ecr
end

--- The credentials for one of Amazon's registries.
---@param registry oras.Registry
---@param host string
---@param request table what the registry has asked us about
---@param wanted? boolean auth_backend is "ecr": without keys of Amazon's this is an error
---@return { username: string, password: string, fresh_until: number }? nil for another registry, or without keys
---@raise oras.Error auth, config, network, ...
function ecr.credentials(registry, host, request, wanted)
  local service = wanted and named_service(registry, host) or ecr.service(host)
  if not service then
    return nil
  end
  local kept, name = kept_by(registry), service.name .. "/" .. service.region
  local found = kept.found[name]
  if found and core.clock.monotonic() < found.fresh_until then
    return found
  end
  local keys = aws.keys()
  if keys then
    kept.found[name] = once.fetch(kept.pending, name, function()
      return core.task.spawn(fetch, registry, request, service, keys)
    end)
    return kept.found[name]
  elseif wanted then
    require("oras.auth").fail(request, "%s wants keys of AWS, the environment and the credentials file have none", host)
  end
end

return ecr
