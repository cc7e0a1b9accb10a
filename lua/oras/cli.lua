--- The command line of oras-lua: a Lua interpreter with `oras` at hand, and providers by name.
local cli_options = require "oras.cli.options"
local host = require "oras.host"
local report = require "oras.cli.report"

local function print_version()
  print(("oras-lua %s, %s"):format(require "oras.core".version, _VERSION))
end

-- LUA_PATH as lua reads it: the first ";;" stands for the default.
local function path_from_environment(name, default)
  local value = os.getenv(name .. "_5_4") or os.getenv(name)
  if not value then
    return default
  end
  local first, last = value:find(";;", 1, true)
  if not first then
    return value
  end
  local parts = {}
  for _, part in ipairs { value:sub(1, first - 1), default, value:sub(last + 1) } do
    if part ~= "" then
      parts[#parts + 1] = part
    end
  end
  return table.concat(parts, ";")
end

local function set_paths(opts)
  if not opts.no_environment then
    package.path = path_from_environment("LUA_PATH", package.path)
    package.cpath = path_from_environment("LUA_CPATH", package.cpath)
  end
end

-- Modules beside the script come last: they never stand before an installed one.
local function add_script_directory(path)
  local directory = path:match "^(.*)/[^/]*$" or "."
  if directory == "" then
    directory = "/"
  end
  package.path = ("%s;%s/?.lua;%s/?/init.lua"):format(package.path, directory, directory)
end

-- arg[0] is the script; before it, at negative indices, the words that led to it.
local function set_arg(program, words, index)
  local all = table.move(words, 1, #words, 2, { program })
  local zero = index and index + 1 or 1
  local list = {}
  for i, word in ipairs(all) do
    list[i - zero] = word
  end
  _G.arg = list
end

local function run_step(step)
  if step.kind == "-e" then
    local fn, message = load(step.value, "=(command line)", "t")
    if not fn then
      report.fail(report.REFUSED, "%s", message)
    end
    report.run(fn)
  else
    local global, name = step.value:match "^([^=]*)=(.*)$"
    _G[global or step.value] = report.run(require, name or step.value)
  end
end

local function run_script(path, words, index)
  local standard = path == "-"
  local fn, message = loadfile(not standard and path or nil, "t")
  if not fn then
    local unreadable = message:find("^cannot read script") ~= nil
    report.fail(unreadable and report.USAGE or report.REFUSED, "%s", message)
  end
  if not standard then
    add_script_directory(path)
  end
  host.set_main(standard and "=stdin" or "@" .. path)
  report.run(fn, table.unpack(words, index + 1))
end

local function is_script(word)
  return word == "-" or word:find("/", 1, true) or word:find "%.lua$"
end

local function exists(path)
  local file = io.open(path, "rb")
  return file and file:close()
end

-- Names a first word may have: those of commands and of providers.
local function known_names()
  local names = require("oras.cli.commands").next_words ""
  for _, name in ipairs(host.provider_names()) do
    names[name] = true
  end
  return names
end

local function unknown_word(word)
  local near = require "oras.options".nearest(word, known_names())
  local hint = near and (" (%s?)"):format(near) or ""
  report.fail(report.USAGE, "no command, provider or file is called '%s'%s", word, hint)
end

local function listed(set)
  local names = {}
  for name in pairs(set) do
    names[#names + 1] = name
  end
  table.sort(names)
  return table.concat(names, ", ")
end

-- A group of commands without a word that is one of them.
local function run_group(group, word)
  local commands = require "oras.cli.commands"
  if word == "--help" or word == "-h" then
    io.stdout:write(require("oras.cli.help").group(group))
  elseif word == nil or word:sub(1, 1) == "-" then
    local list = listed(commands.next_words(group))
    report.fail(report.USAGE, "which command of '%s'? %s (--help tells more)", group, list)
  else
    local near = commands.nearest(group, word)
    report.fail(report.USAGE, "there is no command '%s %s'%s", group, word, near and (" (%s?)"):format(near) or "")
  end
end

local function find_provider(word)
  local providers = require "oras.providers"
  local ok, found = report.try(providers.find, word)
  if not ok then
    report.failure(found)
    os.exit(report.REFUSED)
  end
  return found
end

local function run_word(word, words, index)
  if is_script(word) then
    return run_script(word, words, index)
  end
  local commands = require "oras.cli.commands"
  local name, last, whole = commands.find(words, index)
  if whole then
    report.run(commands.load(name), table.unpack(words, last + 1))
  elseif name then
    run_group(name, words[last + 1])
  elseif find_provider(word) then
    require "oras.cli.provider".run(word, table.move(words, index + 1, #words, 1, {}))
  elseif exists(word) then
    run_script(word, words, index)
  else
    unknown_word(word)
  end
end

-- A provider's file may be named without a "/"; that it is not trusted was said.
local function run_sandbox(words, index)
  local word = words[index]
  if word and not word:find("/", 1, true) and is_script(word) then
    word = "./" .. word
  end
  require "oras.cli.sandbox".run(word, table.move(words, (index or #words) + 1, #words, 1, {}))
end

local function prepare(opts)
  if opts.dry_run then
    require "oras.registry".dry_run = true
    host.log_level "info"
  end
  if opts.debug then
    report.debug = true
    host.log_level "debug"
  end
  if opts.warnings then
    warn "@on"
  end
  set_paths(opts)
end

-- Without a script: lines from a terminal, else a script on standard input.
local function run_without_script(opts)
  if opts.interactive or #opts.steps > 0 or opts.version then
    return
  end
  if host.is_terminal(0) then
    print_version()
    opts.interactive = true
  else
    run_script("-", {}, 0)
  end
end

---@param program string the name oras-lua was called by
---@param ... string the words of the command line
return function(program, ...)
  local words = { ... }
  local opts, index = cli_options.parse(words)

  host.unwatch()
  if opts.help then
    io.stdout:write(require("oras.cli.help").top())
    return
  end
  prepare(opts)
  if opts.version then
    print_version()
  end
  set_arg(program, words, index)
  for _, step in ipairs(opts.steps) do
    run_step(step)
  end
  if opts.sandbox then
    run_sandbox(words, index)
  elseif index then
    run_word(words[index], words, index)
  else
    run_without_script(opts)
  end
  if opts.interactive then
    require "oras.cli.repl".run()
  end
end
