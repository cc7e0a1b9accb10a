--- What the commands share: flags, help, the registry that the flags describe, what is printed.
---
--- A command is the value of a module oras.commands.NAME:
---
---     return command.new {
---       name = "tag", usage = "REF NAME...", about = "Give a manifest more names.",
---       least = 2,                                      -- words; `most` too
---       flags = { { "-f", "--force", about = "..." } }, -- see command.flags
---       run = function(registry, words, opts)
---         return { text = "for people\n", document = { for = "programs" } }
---       end,
---     }
---
--- `opts` has the flags by their long names, "--annotation-file" as annotation_file. With
--- `sides = { "from", "to" }` there is a set of registry flags for each side ("--from-plain-http")
--- and `run` gets a table of registries by side.
local flags = require "oras.cli.flags"
local host = require "oras.host"
local json = require "oras.json"
local report = require "oras.cli.report"

local command = {}

---@class oras.Flag
---@field [1] string "-a" or "--annotation"
---@field [2]? string "--annotation"
---@field value? string what stands for its value in the help; a switch has none
---@field kind? "integer" what the value must be
---@field many? boolean it may come again; its value is a list
---@field about string

---@type oras.Flag[]
local CONNECTION <const> = {
  { "--plain-http", about = "http, not https" },
  { "--insecure", about = "do not verify the registry's certificate" },
  { "--ca-file", value = "FILE", about = "certificates to trust" },
  { "--cert-file", value = "FILE", about = "client certificate" },
  { "--key-file", value = "FILE", about = "its key" },
  { "-u", "--username", value = "NAME", about = "user of the registry" },
  { "-p", "--password", value = "TEXT", about = "password or token; others may see it, so rather:" },
  { "--password-stdin", about = "the password comes on standard input" },
  { "--identity-token", value = "TEXT", about = "identity token" },
  { "--registry-config", value = "FILE", about = "where credentials are, instead of docker's file" },
  { "-H", "--header", value = "NAME:VALUE", many = true, about = "a header for the registry" },
}

---@type oras.Flag[]
local COMMON <const> = {
  { "--concurrency", value = "N", kind = "integer", about = "transfers at the same time (8)" },
  { "--format", value = "text|json", about = "how the result is printed" },
  { "--no-tty", about = "no progress on the terminal" },
  { "-d", "--debug", about = "tracebacks, and a line on stderr for each exchange" },
  { "-h", "--help", about = "this text" },
}

-- One letter belongs to one side only: those of copy have long names.
local function of_side(side)
  local list = {}
  for i, flag in ipairs(CONNECTION) do
    local copy = {}
    for key, value in pairs(flag) do
      copy[key] = value
    end
    copy[1], copy[2] = ("--%s-%s"):format(side, (flag[2] or flag[1]):sub(3)), nil
    list[i] = copy
  end
  return list
end

local function all_flags(spec)
  local list = {}
  local function add(more)
    table.move(more, 1, #more, #list + 1, list)
  end
  add(spec.flags or {})
  for _, side in ipairs(spec.sides or {}) do
    add(of_side(side))
  end
  if not spec.sides then
    add(CONNECTION)
  end
  add(COMMON)
  return list
end

local function usage_fail(format, ...)
  report.fail(report.USAGE, format, ...)
end

local function check_words(spec, words)
  local least, most = spec.least or 0, spec.most
  if #words < least or (most and #words > most) then
    usage_fail("usage: oras-lua %s %s (--help tells more)", spec.name, spec.usage)
  end
end

local function headers_of(list)
  local headers = {}
  for _, text in ipairs(list or {}) do
    local name, value = text:match "^([^:]+):%s*(.-)%s*$"
    if not name then
      usage_fail("option '-H' takes NAME:VALUE, not '%s'", text)
    end
    local values = headers[name] or {}
    values[#values + 1] = value
    headers[name] = values
  end
  return next(headers) and headers
end

local function password_of(get)
  local given = get "password"
  if not get "password_stdin" then
    if given then
      report.say "a password on the command line can be seen by others; --password-stdin is safer"
    end
    return given
  elseif given then
    usage_fail "'--password' and '--password-stdin' exclude each other"
  end
  return (io.stdin:read "a":gsub("\r?\n$", ""))
end

local function set_credentials(registry, get)
  local user, password, token = get "username", password_of(get), get "identity_token"
  if token then
    if user or password then
      usage_fail "'--identity-token' stands alone, without user and password"
    end
    require("oras.registry.private")[registry].credentials = { identity_token = token }
  elseif user and password then
    registry:set_basic_auth(user, password)
  elseif user or password then
    usage_fail "a user goes with '--password' or '--password-stdin', and a password with '--username'"
  end
end

local function new_registry(opts, side)
  local prefix = side and side .. "_" or ""
  local function get(name)
    return opts[prefix .. name]
  end
  local insecure, ca_file = get "insecure", get "ca_file"
  local verify = ca_file
  if insecure then
    if ca_file then
      usage_fail "'--insecure' and '--ca-file' exclude each other"
    end
    verify = false
  end
  local registry = require("oras.registry"):new {
    plain_http = get "plain_http",
    tls_verify = verify,
    cert = get "cert_file",
    key = get "key_file",
    config_path = get "registry_config",
    headers = headers_of(get "header"),
    concurrency = opts.concurrency,
  }
  set_credentials(registry, get)
  registry:on("warning", function(text)
    report.say("the registry says: %s", text)
  end)
  return registry
end

local function new_registries(spec, opts)
  if not spec.sides then
    return new_registry(opts)
  end
  local all = {}
  for _, side in ipairs(spec.sides) do
    all[side] = new_registry(opts, side)
  end
  return all
end

local function watch(registries, opts)
  local shown = not opts.no_tty and not report.debug and host.is_terminal(2)
  if not shown then
    return nil
  end
  local display = require("oras.cli.progress").new(io.stderr)
  for _, registry in pairs(registries.is_a and { registries } or registries) do
    registry:on("progress", function(event)
      display:show(event)
    end)
  end
  return display
end

-- Everything of a run; its result is only printed when all of it was well.
local function perform(spec, words, opts, holder)
  local registries = new_registries(spec, opts)
  holder.display = watch(registries, opts)
  local result = spec.run(registries, words, opts)
  if opts.format == "json" then
    return json.encode(result.document, { indent = 2 }) .. "\n"
  end
  return result.text
end

local function check_common(opts)
  if opts.format and opts.format ~= "text" and opts.format ~= "json" then
    usage_fail("option '--format' is text or json, not '%s'", opts.format)
  end
  if opts.concurrency and opts.concurrency < 1 then
    usage_fail "option '--concurrency' is at least 1"
  end
  if opts.debug then
    report.debug = true
    host.log_level "debug"
  end
end

local function run(spec, list, ...)
  local opts, words = flags.parse({ ... }, list)
  if opts.help then
    io.stdout:write(flags.help(spec, list))
    return
  end
  check_words(spec, words)
  check_common(opts)
  local holder = {}
  local ok, text = report.try(perform, spec, words, opts, holder)
  if holder.display then
    holder.display:close()
  end
  if not ok then
    report.failure(text)
    os.exit(text.class == "usage" and report.USAGE or report.REFUSED)
  end
  io.stdout:write(text)
end

--- Make a command of its description (see the head of this file).
---@param spec table
---@return function run it with the words of the command line
function command.new(spec)
  local list = all_flags(spec)
  return function(...)
    return run(spec, list, ...)
  end
end

--- "KEY=VALUE" words as a table.
---@param list? string[]
---@param flag string its name, for messages
---@return table<string, string>?
function command.pairs(list, flag)
  if not list then
    return nil
  end
  local map = {}
  for _, text in ipairs(list) do
    local key, value = text:match "^([^=]+)=(.*)$"
    if not key then
      usage_fail("option '%s' takes KEY=VALUE, not '%s'", flag, text)
    elseif map[key] then
      usage_fail("option '%s' gives '%s' twice", flag, key)
    end
    map[key] = value
  end
  return map
end

--- "REF:tag1,tag2" as the reference with the first tag and a list of the others.
---@param text string
---@return string reference
---@return string[]? more
function command.split_tags(text)
  local before, tags = text:match "^(.*):([^:/@]+)$"
  if not tags or not tags:find(",", 1, true) then
    return text
  end
  local more = {}
  for tag in (tags .. ","):gmatch "([^,]*)," do
    more[#more + 1] = tag
  end
  return before .. ":" .. table.remove(more, 1), more
end

return command
