--- How a manifest gets into a registry: under one name or several, and known as the referrer of
--- its subject.
local core = require "oras.core"
local errors = require "oras.error"
local adopt = require("oras.response").adopt
local begin_push = require("oras.registry.remote").begin_push

local remote = {}

-- Tags in one request; more do not fit into every registry's URL.
local MAX_TAGS <const> = 20
-- How often a manifest is sent that the registry could not read right, and the pause that grows.
local TRIES <const> = 5
local PAUSE <const> = 0.1
-- What registries take at least, and most of them at most.
local USUAL_LIMIT <const> = 4 * 1024 * 1024

local function url_of(container, tags)
  local url = "https://" .. container:manifest_url()
  for _, tag in ipairs(tags or {}) do
    url = errors.check(core.url.append_query(url, "tag", tag))
  end
  return url:sub(9)
end

--- One request that stores a manifest.
---@param registry oras.Registry
---@param container oras.Container
---@param out oras.Outgoing
---@param tags? string[]
---@return oras.Response
function remote.put(registry, container, out, tags)
  return adopt(registry:do_request("PUT", url_of(container, tags), {
    body = out.raw,
    headers = { ["Content-Type"] = out.media_type },
    http2 = true,
    repository = container.api_prefix,
  }), "do_request")
end

local function raise_integrity(answer, out, format, ...)
  errors.raise {
    class = "integrity", digest = out.digest, method = "PUT", retryable = false, status = answer.status,
    url = answer.url and core.url.redact(answer.url), message = format:format(...),
  }
end

-- The registry stored what was sent, by the digest of its choice.
local function check_digest(container, out, answer)
  local claimed = answer.headers["Docker-Content-Digest"]
  local parsed = claimed and core.digest.parse(claimed)
  local real = parsed and core.digest.of(out.raw, parsed.algorithm)
  if real and real ~= claimed then
    raise_integrity(answer, out, "%s stored the manifest as %s, not %s", container:place(), claimed, real)
  end
end

-- A tag alone leaves the choice of the digest to the registry, which chooses sha256.
local function is_usual(out)
  return out.digest:find "^sha256:" ~= nil
end

local function explain(err, out)
  if #out.raw > USUAL_LIMIT and (err.status == 413 or err.status == 400) then
    err.message = ("%s (it has %d bytes; many registries take up to %d)"):format(err.message, #out.raw, USUAL_LIMIT)
  elseif err.code == "DIGEST_INVALID" and not is_usual(out) then
    err.message = err.message .. " (many registries store manifests by sha256 only)"
  end
  errors.raise(err)
end

-- The bytes have their digest: who denies it has met another request half-way. distribution writes
-- the link of a blob that comes again in place, and finds it empty while it checks a manifest.
local function is_overtaken(out, answer)
  return answer.status == 400 and is_usual(out)
    and answer.content:find('"DIGEST_INVALID"', 1, true) ~= nil
end

local function put_patiently(registry, container, out, tags)
  for try = 1, TRIES do
    local answer = adopt(registry:put_manifest(container, out, tags), "put_manifest")
    if try == TRIES or not is_overtaken(out, answer) then
      return answer
    end
    local delay = PAUSE * try * math.random()
    registry:_emit("retry", {
      method = "PUT", url = answer.url and core.url.redact(answer.url), attempt = try, spoilt = 0, response = answer,
      delay = delay,
    })
    core.clock.sleep(delay)
  end
end

local function put_one(registry, container, out, tags)
  local answer = put_patiently(registry, container, out, tags)
  local name = container.tag or container.digest
  local good, err = errors.try(registry.check_response, registry, answer, "upload of manifest", name, container)
  if not good then
    explain(err, out)
  end
  check_digest(container, out, answer)
  return answer
end

local function tags_in(answer)
  local made = {}
  for _, field in ipairs(answer.headers "OCI-Tag") do
    for tag in field:gmatch "[^,%s]+" do
      made[tag] = true
    end
  end
  return made
end

-- Several tags in one request, where the registry makes them; gives those that are left.
local function put_many(registry, container, out, tags)
  local endpoint, left, last = begin_push(registry, container), {}, nil
  if endpoint.takes_tags == false and not is_usual(out) then
    last = put_one(registry, container:with_digest(out.digest), out)
  end
  for from = 1, #tags, MAX_TAGS do
    local some = table.move(tags, from, math.min(from + MAX_TAGS - 1, #tags), 1, {})
    local made = {}
    if endpoint.takes_tags ~= false then
      local answer, err = errors.try(put_one, registry, container:with_digest(out.digest), out, some)
      if not answer and (err.class == "auth" or err.class == "denied" or err.retryable or not err.status) then
        errors.raise(err)
      end
      if not answer and not is_usual(out) then
        answer = put_one(registry, container:with_digest(out.digest), out)
      end
      made, last = answer and tags_in(answer) or made, answer or last
      endpoint.takes_tags = next(made) ~= nil
    end
    for _, tag in ipairs(some) do
      if not made[tag] then
        left[#left + 1] = tag
      end
    end
  end
  return left, last
end

-- Its subject's referrers list it: the registry says so, or has the API and forgot to, or we
-- keep the tag that stands for it (distribution-spec, "Pushing Manifests with Subject").
local function follow_subject(registry, container, out, answer)
  local subject = out.document and out.document.subject
  if not subject then
    return
  end
  local said = answer.headers["OCI-Subject"]
  if said and said ~= subject.digest then
    errors.raise {
      class = "protocol", method = "PUT", digest = out.digest, retryable = false,
      message = ("%s took the manifest as a referrer of %s, not of %s"):format(
        container:place(), require("oras.registry.status").sanitise(said), subject.digest),
    }
  elseif said and registry._settings.referrers ~= "tag" then
    require("oras.registry.referrers").note(registry, container, true)
  else
    require("oras.registry.fallback_tag").add(registry, container, out)
  end
end

--- Store a manifest under tags; without any, by its digest.
---@param registry oras.Registry
---@param container oras.Container
---@param out oras.Outgoing
---@param tags string[]
---@param opts { referrers?: boolean }
function remote.store(registry, container, out, tags, opts)
  begin_push(registry, container)
  local answer
  if #tags == 0 then
    answer = put_one(registry, container:with_digest(out.digest), out)
  elseif #tags > 1 or not is_usual(out) then
    tags, answer = put_many(registry, container, out, tags)
  end
  for _, tag in ipairs(tags) do
    answer = put_one(registry, container:with_tag(tag), out)
  end
  if opts.referrers ~= false then
    follow_subject(registry, container, out, answer)
  end
end

return remote
