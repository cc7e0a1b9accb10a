--- Bearer tokens: fetched from the realm that the challenge names, kept while they are fresh
--- (distribution's token specification; anonymous ones too).
local auth = require "oras.auth"
local core = require "oras.core"
local errors = require "oras.error"
local once = require "oras.auth.once"
local scopes = require "oras.auth.scopes"

local token = {}

local LEEWAY <const> = 0.9 -- of a token's life
local MAX_BODY <const> = 64 * 1024
local CLIENT_ID <const> = "oras-lua"

local function form(fields)
  local parts = {}
  for i = 1, #fields, 2 do
    local value = fields[i + 1]:gsub("[^%w._~-]", function(c)
      return ("%%%02X"):format(c:byte())
    end)
    parts[#parts + 1] = fields[i] .. "=" .. value
  end
  return table.concat(parts, "&")
end

-- What the challenge asks for comes from the server: it may be too long for a URL.
local function query_url(request, realm, fields)
  local url, err = realm, nil
  for i = 1, #fields, 2 do
    if url then
      url, err = core.url.append_query(url, fields[i], fields[i + 1])
    end
  end
  local good
  if url then
    good, err = core.url.origin(url)
  end
  if not good then
    auth.fail(request, "%s wants a token that cannot be asked for: %s", request.endpoint.host, err.message)
  end
  return url
end

-- The exchange by OAuth2's POST, of an identity token (a refresh token) or a password: it goes to the
-- realm only. A server may give another refresh token with each answer.
local function post_request(state, scope, found)
  local fields, secret
  if found.identity_token then
    secret = state.rotated[found.identity_token] or found.identity_token
    fields = { "grant_type", "refresh_token", "refresh_token", secret }
  else
    secret = found.password
    fields = { "grant_type", "password", "username", found.username, "password", secret }
  end
  for _, pair in ipairs { { "service", state.service }, { "client_id", CLIENT_ID }, { "scope", scope } } do
    if pair[2] and pair[2] ~= "" then
      fields[#fields + 1], fields[#fields + 2] = pair[1], pair[2]
    end
  end
  return {
    method = "POST",
    url = state.realm,
    headers = { ["Content-Type"] = "application/x-www-form-urlencoded" },
    body = form(fields),
    secrets = { secret },
  }
end

-- The usual exchange: a GET, with the password where there is one.
local function get_request(request, state, scope, found, origin)
  local fields = {}
  if state.service then
    fields[1], fields[2] = "service", state.service
  end
  for one in scope:gmatch "%S+" do
    fields[#fields + 1] = "scope"
    fields[#fields + 1] = one
  end
  local secret
  if found then
    fields[#fields + 1], fields[#fields + 2] = "account", found.username
    secret = errors.check(core.auth.basic(origin, found.username, found.password))
  end
  return { method = "GET", url = query_url(request, state.realm, fields), secret = secret }
end

local function token_request(registry, asked, state, scope, found, posts)
  local origin = errors.check(core.url.origin(state.realm))
  local request
  if posts then
    request = post_request(state, scope, found)
  else
    request = get_request(asked, state, scope, found, origin)
  end
  request.origin = origin
  request.endpoint = state.endpoint -- whose client certificate the realm of another origin never sees
  request.from = state.hop
  request.purpose = "token"
  request.plain_http = state.plain_http
  request.auth = false
  request.http2 = true
  request.timeouts = registry._settings.timeout
  request.new_sink, request.expect = core.sink.memory, { limit = MAX_BODY }
  return request
end

local function refuse(request, response, state, found)
  local status = response.status
  if status == 401 or status == 400 then
    local _, words = require("oras.registry.status").read(response)
    local who = found and "the token server refuses the credentials for %s"
      or "the token server gives no anonymous token for %s"
    auth.fail(request, who .. "%s", state.host, words and ": " .. words or "")
  end
  require("oras.registry.status").raise(response, "token for " .. state.host)
end

-- Statuses of a token server that knows the other exchange only.
local UNKNOWN <const> = { [404] = true, [405] = true }

-- Ask for a token, the other way once more where the server does not know this one: a password may be
-- told by GET and by POST. Which way it was is remembered.
local function ask(registry, request, state, scope, found)
  local exchange = require "oras.registry.exchange"
  local posts = found and (found.identity_token ~= nil or state.posts)
  local response = exchange.perform(registry, token_request(registry, request, state, scope, found, posts))
  if UNKNOWN[response.status] and found and found.password then
    local other = exchange.perform(registry, token_request(registry, request, state, scope, found, not posts))
    if not UNKNOWN[other.status] then
      state.posts = not posts
      return other
    end
  end
  return response
end

-- Fetch a token; gives what is kept of it.
local function fetch(registry, request, state, scope, found)
  local started = core.clock.monotonic()
  local response = ask(registry, request, state, scope, found)
  if response.status ~= 200 then
    refuse(request, response, state, found)
  end
  local secret, info = core.auth.token(response.body, request.origin)
  if not secret then
    info.message = ("token for %s: %s"):format(state.host, info.message)
    errors.raise(info)
  end
  if found and found.identity_token and info.refresh_token then
    state.rotated[found.identity_token] = info.refresh_token
  end
  local life = info.expires_in
  return {
    secret = secret, fresh_until = started + life * LEEWAY, scope = scope, anonymous = not found,
  }
end

-- A refresh token may be good once: its fetches come one after the other.
local function fetch_after(before, ...)
  if before then
    core.task.join { before }
  end
  return fetch(...)
end

local function start_fetch(registry, request, state, scope, found)
  if not found or not found.identity_token then
    return core.task.spawn(fetch, registry, request, state, scope, found)
  end
  state.last = core.task.spawn(fetch_after, state.last, registry, request, state, scope, found)
  return state.last
end

local function fetch_shared(registry, request, state, scope, found)
  local entry = once.fetch(state.pending, scope, function()
    return start_fetch(registry, request, state, scope, found)
  end)
  state.tokens[scope] = entry
  return entry
end

local function fresh(entry)
  return entry and core.clock.monotonic() < entry.fresh_until and entry or nil
end

local function cached(state, scope)
  return fresh(state.tokens[scope]) or fresh(state.tokens[scopes.wider(scope)])
end

-- A token that the user or configuration gave is used as it is.
local function given_token(endpoint, found)
  local secret = errors.check(core.auth.bearer(endpoint.origin, found.registry_token))
  return { secret = secret, fresh_until = math.huge, given = true }
end

local function obtain(scheme, registry, request, state, scope)
  local found = auth.credentials(scheme, registry, request)
  if found and found.registry_token then
    local entry = given_token(request.endpoint, found)
    state.tokens[scope] = entry
    return entry
  end
  return fetch_shared(registry, request, state, scope, found)
end

--- Give a request the token for its scope, asking for one when none is fresh.
function token.prepare(scheme, registry, request, state)
  local scope = scopes.of_request(request)
  if scope == "" then
    scope = state.last_scope or ""
  end
  local entry = cached(state, scope) or obtain(scheme, registry, request, state, scope)
  request.secret, request.token, request.scope = entry.secret, entry, scope
end

-- What refresh tokens were changed for at a realm; outlives what else is learnt.
local function rotated_at(endpoint, realm)
  endpoint.rotated = endpoint.rotated or {}
  endpoint.rotated[realm] = endpoint.rotated[realm] or {}
  return endpoint.rotated[realm]
end

local function new_state(scheme, request, challenge, response)
  local endpoint = request.endpoint
  local base = response.url or request.url
  local realm, err = core.url.resolve(base, challenge.params.realm)
  if not realm then
    auth.fail(request, "%s names a realm that is no URL: %s", endpoint.host, err.message)
  end
  local service = challenge.params.service
  local state = endpoint.auth
  if state and state.kind == "bearer" and state.realm == realm and state.service == service then
    state.hop = response.hop
    return state
  end
  state = {
    kind = "bearer", realm = realm, service = service, hop = response.hop, host = endpoint.host, endpoint = endpoint,
    plain_http = endpoint.plain_http, tokens = {}, pending = {}, posts = scheme.grant == "password",
    rotated = rotated_at(endpoint, realm),
  }
  endpoint.auth = state
  return state
end

-- The fresh token was refused as well: more tokens would not help.
local function give_up(request, challenge, entry, scope)
  local host = request.endpoint.host
  local what = scope ~= "" and scope or "the registry"
  if entry.anonymous then
    auth.fail(request, "%s asks for credentials for %s, none are known", host, what)
  elseif challenge.params.error ~= "insufficient_scope" then
    auth.fail(request, "%s refuses the token for %s", host, what)
  end
  errors.raise {
    class = "denied",
    status = 401,
    message = ("%s: the credentials do not allow %s"):format(host, what),
    method = request.method,
    url = core.url.redact(request.url),
    retryable = false,
  }
end

--- Answer a Bearer challenge with a token for what was asked and what the request needs.
---@return boolean again
---@raise oras.Error auth, denied, redirect, network, ...
function token.answer(scheme, registry, request, challenge, response)
  local state = new_state(scheme, request, challenge, response)
  local scope = scopes.merge(scopes.of_request(request), challenge.params.scope or "")
  local refused = request.token
  if refused and request.new_token == refused and (refused.scope == scope or refused.given) then
    give_up(request, challenge, refused, scope)
  end
  local entry = state.tokens[scope]
  if entry == refused or not fresh(entry) then
    state.tokens[scope] = nil
    entry = obtain(scheme, registry, request, state, scope)
  end
  state.last_scope = scope
  request.secret, request.token, request.scope = entry.secret, entry, scope
  request.new_token = entry
  return true
end

return token
