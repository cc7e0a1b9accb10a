--- What an answer that is no success means: its class, the registry's code, its words.
local core = require "oras.core"
local errors = require "oras.error"

local status = {}

local MAX_TEXT <const> = 300

local CLASSES <const> = {
  [401] = "auth", [403] = "denied", [404] = "not_found", [405] = "unsupported",
  [406] = "unsupported", [407] = "auth", [408] = "timeout", [410] = "not_found",
  [413] = "limit", [429] = "rate", [501] = "unsupported", [507] = "limit",
}

--- The error class of a status.
---@param code integer
---@return string
function status.class_of(code)
  if CLASSES[code] then
    return CLASSES[code]
  end
  if code >= 500 then
    return "server"
  end
  return (code >= 300 and code < 400) and "redirect" or "protocol"
end

-- Bidirectional and other invisible marks, as UTF-8: they make a terminal lie.
local MARKS <const> = { "\u{061C}", "\u{200E}", "\u{200F}", "\u{2028}", "\u{2029}", "\u{FEFF}" }

local function hex_byte(byte)
  return ("\\x%02x"):format(byte:byte())
end

--- Text of a server as one safe line of limited length.
---@param text string
---@return string
function status.sanitise(text)
  if not utf8.len(text) then
    text = text:gsub("[\x80-\xff]", hex_byte)
  end
  text = text:gsub("\xC2[\x80-\x9F]", "?"):gsub("\u{202A}", "?"):gsub("\xE2\x80[\xAA-\xAE]", "?")
  text = text:gsub("\xE2\x81[\xA6-\xA9]", "?")
  for _, mark in ipairs(MARKS) do
    text = text:gsub(mark, "?")
  end
  text = text:gsub("%s+", " "):gsub("%c", hex_byte):gsub("^ ", ""):gsub(" $", "")
  if #text > MAX_TEXT then
    local cut = utf8.offset(text, 0, MAX_TEXT - 2)
    text = text:sub(1, cut - 1) .. "..."
  end
  return text
end

-- The secrets that went out with the request of an answer: a server may say them back.
local sent = setmetatable({}, { __mode = "k" })

local function unescaped(text)
  return (text:gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end))
end

-- What a redirect leads to may be signed: what proves it stands in the query.
local function add_signatures(secrets, url)
  for value in ((core.url.parse(url) or {}).query or ""):gmatch "=([^&]+)" do
    secrets[#secrets + 1] = unescaped(value)
  end
end

--- Text without the secrets of a request.
---@param text string
---@param request table
---@return string
function status.hide(text, request)
  local secrets = { table.unpack(request.secrets or {}) }
  secrets[#secrets + 1] = request.secret
  for _, value in pairs(request.bound_headers or {}) do
    for _, one in ipairs(type(value) == "table" and value or { value }) do
      secrets[#secrets + 1] = one
    end
  end
  if request.purpose == "redirect" then
    add_signatures(secrets, request.url)
  end
  return errors.check(core.auth.redact(text, table.unpack(secrets)))
end

--- Remember which request an answer belongs to, so that its secrets are kept out of messages.
---@param answer oras.Response
---@param request table
function status.note(answer, request)
  sent[answer] = request
end

local function words_in(answer, text)
  return status.sanitise(sent[answer] and status.hide(text, sent[answer]) or text)
end

local function first_error(document)
  if type(document) ~= "table" then
    return nil
  end
  local list = document.errors
  local entry = type(list) == "table" and list[1]
  return type(entry) == "table" and entry or document
end

local function words_of(answer, entry)
  for _, key in ipairs { "message", "details", "error_description", "error" } do
    if type(entry[key]) == "string" and entry[key] ~= "" then
      return words_in(answer, entry[key])
    end
  end
end

--- The registry's code and words in an error body; nil for what is not there.
---@param response oras.Response
---@return string? code
---@return string? words
function status.read(response)
  local body = response.content
  if body == "" then
    return nil
  end
  local document = core.json.decode(body)
  local entry = first_error(document)
  if entry then
    local code = entry.code
    local good = type(code) == "string" and #code <= 31 and code:find("^[%u%d_]+$")
      and words_in(response, code) == code
    return good and code or nil, words_of(response, entry)
  end
  local kind = response.headers["Content-Type"] or ""
  if kind:find("^text/plain") then
    return nil, words_in(response, body)
  end
end

-- "ghcr.io: what it said" for what has no better words.
local PHRASES <const> = {
  auth = "%s: credentials are needed or were refused",
  denied = "%s: access denied",
  rate = "%s: too many requests",
  not_found = "no %s",
  timeout = "%s: the registry gave up waiting",
  unsupported = "%s: the registry does not support this",
  server = "%s: the registry failed",
  limit = "%s: too large for the registry",
}

local WRITES <const> = { PATCH = true, POST = true, PUT = true }

local function phrase_of(response, class)
  if response.status == 507 then
    return "%s: the registry has no space left"
  elseif response.status == 405 and WRITES[response.method] then
    return "%s: the registry takes nothing (is it read-only?)"
  end
  return PHRASES[class] or "%s: unexpected answer"
end

-- Go's server and nginx answer plain http on a TLS port with a 400 that says so.
local function hint(response)
  local plain = response.status == 400 and (response.url or ""):find "^http:"
  if plain and response.content:find("HTTPS", 1, true) then
    return " (does the server expect https? then plain_http = false)"
  end
  return ""
end

--- Raise what an unwanted answer means.
---@param response oras.Response
---@param what string what was asked for: `manifest "1.0" in ghcr.io/a/b`
---@param digest? string if it was asked for by that
---@raise oras.Error
function status.raise(response, what, digest)
  local class = status.class_of(response.status)
  local code, words = status.read(response)
  local message = phrase_of(response, class):format(what)
  if words and class ~= "not_found" then
    message = message .. ": " .. words
  end
  if response.scope and (class == "denied" or class == "auth") then
    message = ("%s (scope %s)"):format(message, response.scope)
  end
  errors.raise {
    class = class,
    code = code,
    status = response.status,
    message = message .. hint(response),
    method = response.method,
    url = response.url and core.url.redact(response.url),
    digest = digest,
    attempts = response.attempts,
    retryable = require("oras.retry").is_status(response.status),
  }
end

return status
