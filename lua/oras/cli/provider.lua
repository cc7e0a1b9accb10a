--- `oras-lua PROVIDER METHOD ARGS`: call a method of a provider from the command line.
local core = require "oras.core"
local options = require "oras.options"
local providers = require "oras.providers"
local report = require "oras.cli.report"

local provider = {}

-- The comment block of "---" lines that ends right above a line which fits the pattern.
local function comment_above(text, pattern)
  local block = {}
  for line in (text .. "\n"):gmatch "(.-)\r?\n" do
    if line:find(pattern) then
      return block
    end
    local comment = line:match "^%-%-%-%s?(.*)$"
    if comment then
      block[#block + 1] = comment
    else
      block = {}
    end
  end
end

local function escape(name)
  return (name:gsub("%p", "%%%0"))
end

local function method_comment(text, method)
  return comment_above(text, "^function%s+[%w_.]+:" .. escape(method) .. "%s*%(")
end

-- "(name, path)" as "NAME PATH"
local function method_usage(text, method)
  local list = text:match("\nfunction%s+[%w_.]+:" .. escape(method) .. "%s*%((.-)%)") or ""
  return (list:upper():gsub(",%s*", " "))
end

-- The comment's prose; annotations are for editors.
local function prose(block)
  local lines = {}
  for _, line in ipairs(block) do
    if not line:find "^@" and not line:find "^#!" then
      lines[#lines + 1] = line
    end
  end
  return table.concat(lines, "\n")
end

local function head_comment(text)
  local lines = {}
  for line in (text .. "\n"):gmatch "(.-)\r?\n" do
    local comment = line:match "^%-%-%-%s?(.*)$"
    if not comment and not line:find "^#!" then
      break
    end
    lines[#lines + 1] = comment
  end
  return prose(lines)
end

local function own_methods(text)
  local names = {}
  for name in text:gmatch "\nfunction%s+[%w_.]+:([%a][%w_]*)%s*%(" do
    names[#names + 1] = name
  end
  return names
end

local function first_sentence(block)
  local text = prose(block):match "^(.-)\n%s*\n" or prose(block)
  return (text:gsub("%s+", " "))
end

local function list_help(name, text)
  local lines = { head_comment(text), "", ("usage: oras-lua %s METHOD [ARG...]"):format(name) }
  for _, method in ipairs(own_methods(text)) do
    lines[#lines + 1] = ""
    lines[#lines + 1] = ("  %s %s"):format(method, method_usage(text, method))
    lines[#lines + 1] = "      " .. first_sentence(method_comment(text, method) or {})
  end
  lines[#lines + 1] = ""
  lines[#lines + 1] = "The methods of oras.Registry are there, too (get_tags, resolve, ...)."
  return table.concat(lines, "\n")
end

local function method_help(name, method, text)
  local block = method_comment(text, method) or {}
  local usage = ("usage: oras-lua %s %s %s"):format(name, method, method_usage(text, method))
  return usage:gsub("%s+$", "") .. "\n\n" .. prose(block)
end

local function is_help(word)
  return word == "--help" or word == "-h"
end

local function show_help(name, method)
  local text = providers.source(name) or ""
  if method and method_comment(text, method) then
    print(method_help(name, method, text))
  else
    print(list_help(name, text))
  end
end

-- A word that is no value: the options that every provider's object takes.
local FLAGS <const> = {
  ["--plain-http"] = { "plain_http", true },
  ["--insecure"] = { "tls_verify", false },
  ["--ca-file"] = { "tls_verify" },
  ["--registry-config"] = { "config_path" },
}

local function unknown_flag(flag)
  local near = options.nearest(flag, FLAGS)
  report.fail(report.USAGE, "unknown option '%s'%s", flag, near and (" (%s?)"):format(near) or "")
end

-- Split words into constructor options and arguments.
local function parse(words)
  local opts, args, i = {}, {}, 1
  while i <= #words do
    local flag, value = words[i]:match "^(%-%-[%w-]+)=(.*)$"
    flag = flag or words[i]
    if flag == "--" then
      table.move(words, i + 1, #words, #args + 1, args)
      break
    elseif flag:sub(1, 1) == "-" and #flag > 1 then
      local option = FLAGS[flag] or unknown_flag(flag)
      if option[2] == nil and not value then
        i = i + 1
        value = words[i] or report.fail(report.USAGE, "option '%s' needs a value", flag)
      end
      opts[option[1]] = value or option[2]
    else
      args[#args + 1] = words[i]
    end
    i = i + 1
  end
  return opts, args
end

-- Words that the method would not see are a mistake.
local function check_count(fn, method, args)
  local info = debug.getinfo(fn, "u")
  local most = math.max(info.nparams - 1, 0) -- self is not a word
  if not info.isvararg and #args > most then
    report.fail(report.USAGE, "'%s' takes %d argument%s, not %d", method, most, most == 1 and "" or "s", #args)
  end
end

-- What the words ask for: an object, its method and the arguments.
local function prepare(name, words)
  local opts, args = parse(words)
  local method = table.remove(args, 1)
  if not method then
    report.fail(report.USAGE, "which method of '%s'? (oras-lua %s --help)", name, name)
  end
  local object = providers.find(name):new(opts)
  local fn = providers.method(object, name, method)
  check_count(fn, method, args)
  return object, fn, args
end

-- An iterator gives what it goes over.
local function collected(iterator)
  local items = core.json.array {}
  for item in iterator do
    items[#items + 1] = item
  end
  return items
end

local function call(object, method, args)
  local result = method(object, table.unpack(args))

  if result == nil then
    return ""
  elseif type(result) == "function" then
    result = collected(result)
  end
  local text, err = core.json.encode(providers.items_of(result), { indent = 2 })
  if not text then
    error(err, 0)
  end
  return text .. "\n"
end

-- Results of report.try, when it was well; else the end of the program.
local function check(status, ok, ...)
  if ok then
    return ...
  end
  local failure = ...
  report.failure(failure)
  os.exit(failure.class == "usage" and report.USAGE or status)
end

--- Run `PROVIDER METHOD ARGS`, print the result as JSON; a mistake of the caller exits with 2.
---@param name string of the provider
---@param words string[] what follows it
function provider.run(name, words)
  for _, word in ipairs(words) do
    if is_help(word) then
      return show_help(name, words[1] ~= word and words[1] or nil)
    end
  end
  local object, method, args = check(report.USAGE, report.try(prepare, name, words))
  io.stdout:write((check(report.REFUSED, report.try(call, object, method, args))))
end

return provider
