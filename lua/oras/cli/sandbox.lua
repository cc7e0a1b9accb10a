--- `oras-lua --sandbox PROVIDER METHOD ARGS`: a provider that is not trusted, within what the words allow.
local core = require "oras.core"
local errors = require "oras.error"
local host = require "oras.host"
local options = require "oras.options"
local providers = require "oras.providers"
local report = require "oras.cli.report"

local sandbox = {}

-- Of the objects that serve the provider: the same words as for one that is trusted.
local SETTINGS <const> = {
  ["--plain-http"] = { "plain_http", true },
  ["--insecure"] = { "tls_verify", false },
  ["--ca-file"] = { "tls_verify" },
  ["--registry-config"] = { "config_path" },
}

local LISTS <const> = {
  ["--allow"] = "allow", ["--allow-file"] = "files", ["--allow-host"] = "hosts",
  ["--allow-repository"] = "repositories",
}

local NUMBERS <const> = { ["--wall"] = "wall", ["--cpu"] = "cpu" }

local function fail(format, ...)
  report.fail(report.USAGE, format, ...)
end

local function unknown(flag)
  local all = {}
  for _, words in ipairs { SETTINGS, LISTS, NUMBERS } do
    for name in pairs(words) do
      all[name] = true
    end
  end
  local near = options.nearest(flag, all)
  fail("unknown option '%s'%s", flag, near and (" (%s?)"):format(near) or "")
end

local function add_list(list, value)
  for item in value:gmatch "[^,]+" do
    list[#list + 1] = item
  end
end

local function set_number(opts, name, flag, value)
  local number = tonumber(value)
  if not number or not (number > 0 and number <= 86400) then
    fail("'%s' is a number of seconds, not '%s'", flag, value)
  end
  opts[name] = number
end

local function take(opts, settings, flag, value)
  if SETTINGS[flag] then
    settings[SETTINGS[flag][1]] = SETTINGS[flag][2] == nil and value or SETTINGS[flag][2]
  elseif LISTS[flag] then
    add_list(opts[LISTS[flag]], value)
  else
    set_number(opts, NUMBERS[flag], flag, value)
  end
end

local function needs_value(flag)
  local setting = SETTINGS[flag]
  return LISTS[flag] or NUMBERS[flag] or (setting and setting[2] == nil)
end

-- Split words into what is allowed, how registries are reached, and the method's words.
local function parse(words)
  local opts = { allow = {}, files = {}, hosts = {}, repositories = {} }
  local settings, args, i = {}, {}, 1
  while i <= #words do
    local flag, value = words[i]:match "^(%-%-[%w-]+)=(.*)$"
    flag = flag or words[i]
    if flag == "--" then
      table.move(words, i + 1, #words, #args + 1, args)
      break
    elseif flag:sub(1, 1) == "-" and #flag > 1 then
      if not needs_value(flag) and not SETTINGS[flag] then
        unknown(flag)
      elseif needs_value(flag) and not value then
        i = i + 1
        value = words[i] or fail("option '%s' needs a value", flag)
      end
      take(opts, settings, flag, value)
    else
      args[#args + 1] = words[i]
    end
    i = i + 1
  end
  return opts, settings, args
end

-- By default exactly what stands among the arguments: references, and files.
local function grant(opts, registry, args)
  opts.references = {}
  for _, word in ipairs(args) do
    if errors.try(registry.get_container, registry, word) then
      table.insert(opts.references, word)
    end
    table.insert(opts.files, word)
  end
end

local function print_result(result)
  if result == nil then
    return
  end
  io.stdout:write(errors.check(core.json.encode(result, { indent = 2 })), "\n")
end

local function run(name, opts, settings, args)
  local method = table.remove(args, 1)
  local text, chunk = providers.source(name)
  if not text then
    errors.raise { class = "not_found", message = ("no such provider: '%s'"):format(name) }
  end
  local registry = require("oras.registry"):new(settings)
  grant(opts, registry, args)
  opts.registry, opts.name, opts.text = registry, chunk, text
  local box <close> = require("oras.sandbox").open(opts)
  print_result(box:call(method, args))
end

--- Run the words behind --sandbox.
---@param name? string a provider's name or file
---@param words string[] what follows it
function sandbox.run(name, words)
  if not name then
    fail "which provider? (oras-lua --sandbox PROVIDER METHOD [ARG...])"
  end
  for _, word in ipairs(words) do
    if word == "--help" or word == "-h" then
      return require("oras.cli.provider").run(name, words)
    end
  end
  local opts, settings, args = parse(words)
  if not args[1] then
    fail("which method of '%s'?", name)
  end
  if not report.debug then
    host.log_level "info"
  end
  local ok, failure = report.try(run, name, opts, settings, args)
  if not ok then
    report.failure(failure)
    os.exit(failure.class == "usage" and report.USAGE or report.REFUSED)
  end
end

return sandbox
