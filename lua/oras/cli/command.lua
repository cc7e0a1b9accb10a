--- What the commands share: flags, help, the registry that the flags describe, what is printed.
---
--- A command is the value of a module oras.commands.NAME, with a part of the module's name for
--- each word (oras.commands.manifest.fetch is `oras-lua manifest fetch`):
---
---     return command.new {
---       name = "tag", usage = "REF NAME...", about = "Give a manifest more names.",
---       example = "oras-lua tag localhost:5000/app:v1 latest",
---       least = 2,                                      -- words; `most` too
---       flags = { { "-f", "--force", about = "..." } }, -- see oras.Flag
---       references = { 1 },                             -- which words are references ("all", too)
---       run = function(registry, words, opts)
---         return { text = "for people\n", line = "for a pipe\n", document = { for = "programs" } }
---       end,
---     }
---
--- `opts` has the flags by their long names, "--annotation-file" as annotation_file. With
--- `sides = { "from", "to" }` there is a set of registry flags for each side ("--from-plain-http")
--- and `run` gets a table of registries by side. `registry = false` is a command that needs none;
--- with `credentials = false` it makes its own use of user and password (command.secrets).
---
--- What `run` gives: `text`, for a terminal; `line` for everything else, where it differs;
--- `document`, what --format json prints. Instead of text, `bytes`, or `write`, a function that
--- gets the file to write to: both are printed as they are. `status` is the exit code of an answer
--- that is no failure (1: "no").
local connection = require "oras.cli.connection"
local core = require "oras.core"
local errors = require "oras.error"
local flags = require "oras.cli.flags"
local host = require "oras.host"
local report = require "oras.cli.report"

local command = {}

---@class oras.Flag
---@field [1] string "-a" or "--annotation"
---@field [2]? string "--annotation"
---@field value? string what stands for its value in the help; a switch has none
---@field kind? "integer"|"platform" what the value must be
---@field many? boolean it may come again; its value is a list
---@field separator? string of several values in one word, for `many`
---@field choices? string[] what completion offers
---@field hidden? boolean not in the help
---@field about string

---@class oras.Command
---@field name string "manifest fetch"
---@field usage string
---@field about string
---@field example? string
---@field flags oras.Flag[] its own
---@field registry_flags oras.Flag[]
---@field common_flags oras.Flag[]
---@field all_flags oras.Flag[]
---@field least integer
---@field most? integer
---@field sides? string[]
---@field references? integer[]|"all"
---@field words? string[]|fun(): string[] what its words may be, for completion
---@field formats? table<string, string> more words for --format, and what they stand for
---@field run function
local Command = { __name = "oras.Command" }
Command.__index = Command

---@type oras.Flag[]
local COMMON <const> = {
  { "--format", value = "text|json", choices = { "text", "json" }, about = "how the result is printed" },
  { "--template", value = "TEXT", hidden = true, about = "there are none" },
  { "-d", "--debug", about = "tracebacks, and a line on stderr for each exchange" },
  { "-h", "--help", about = "this text" },
}

-- What makes sense with a registry only.
---@type oras.Flag[]
local TRANSFER <const> = {
  { "--provider", value = "NAME", about = "work with that provider's class" },
  { "--concurrency", value = "N", kind = "integer", about = "transfers at the same time (8)" },
  { "--no-tty", about = "no progress on the terminal" },
}

local function concat(...)
  local all = {}
  for _, list in ipairs { ... } do
    table.move(list, 1, #list, #all + 1, all)
  end
  return all
end

local function usage_fail(format, ...)
  report.fail(report.USAGE, format, ...)
end

--- Are there as many words as it takes? Ends the program when not.
---@param words string[]
function Command:check_words(words)
  if #words < self.least or (self.most and #words > self.most) then
    usage_fail("usage: oras-lua %s %s (--help tells more)", self.name, self.usage)
  end
end

--- What is meant by --format; ends the program when nothing is.
---@param format? string
---@return "text"|"json"|nil
function Command:check_format(format)
  local known = self.formats and self.formats[format] or (format == "text" or format == "json") and format
  if format and not known then
    local hint = format:find "^go%-template" and "; a program that reads json has what a template has" or ""
    usage_fail("option '--format' is text or json, not '%s'%s", format, hint)
  end
  return known
end

--- Check the flags that all commands have, and let --debug take effect.
---@param opts table<string, any>
function Command:check_common(opts)
  opts.format = self:check_format(opts.format)
  if opts.template then
    usage_fail "there are no templates; '--format json' has all that they could show"
  elseif opts.concurrency and opts.concurrency < 1 then
    usage_fail "option '--concurrency' is at least 1"
  end
  if opts.debug then
    report.debug = true
    host.log_level "debug"
  end
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

-- What is printed of a result: text, or a function that writes.
local function shown(result, format)
  if format == "json" then
    return require("oras.json").encode(result.document, { indent = 2 }) .. "\n"
  elseif result.bytes or result.write then
    return result.bytes or result.write
  elseif format == "text" or not result.line or host.is_terminal(1) then
    return result.text
  end
  return result.line
end

--- Everything of a run; its result is only printed when all of it was well.
---@param words string[]
---@param opts table<string, any>
---@param holder { display?: table, status?: integer } what is to be closed behind it; the exit code
---@return string|function
---@raise oras.Error
function Command:perform(words, opts, holder)
  local registries = nil
  if self.registry ~= false then
    registries = connection.registries(self, opts)
    holder.display = watch(registries, opts)
  end
  local result = self.run(registries, connection.words(self, words, opts), opts)
  holder.status = result.status
  return shown(result, opts.format)
end

local function finish(failure)
  report.failure(failure)
  os.exit(failure.class == "usage" and report.USAGE or report.REFUSED)
end

local function print_result(result)
  if type(result) ~= "function" then
    io.stdout:write(result)
    return
  end
  local ok, failure = report.try(result, io.stdout)
  if not ok then
    finish(failure)
  end
end

--- Run it with the words of the command line.
---@param ... string
function Command:__call(...)
  local opts, words = flags.parse({ ... }, self.all_flags)
  if opts.help then
    io.stdout:write(require("oras.cli.help").command(self))
    return
  end
  self:check_words(words)
  self:check_common(opts)
  local holder = {}
  local ok, result = report.try(self.perform, self, words, opts, holder)
  if holder.display then
    holder.display:close()
  end
  if not ok then
    finish(result)
  end
  print_result(result)
  if holder.status and holder.status ~= report.DONE then
    os.exit(holder.status)
  end
end

--- Make a command of its description (see the head of this file).
---@param spec table
---@return oras.Command callable with the words of the command line
function command.new(spec)
  spec.flags = spec.flags or {}
  spec.least = spec.least or 0
  spec.registry_flags = connection.flags(spec)
  spec.common_flags = concat(spec.registry == false and {} or TRANSFER, COMMON)
  spec.all_flags = concat(spec.flags, spec.registry_flags, spec.common_flags)
  return setmetatable(spec, Command)
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

--- The credentials that the flags give, for a command with `credentials = false`.
---@param opts table<string, any>
---@return string? username
---@return string? password
---@return string? identity_token
function command.secrets(opts)
  return connection.secrets(opts)
end

local function is_yes(answer)
  return answer ~= nil and answer:lower():find "^%s*ye?s?%s*$" ~= nil
end

local function cancel(message)
  errors.raise { class = "cancelled", message = message }
end

-- The answer on the terminal: standard input may be what the command, or the next one, reads.
local function ask(question)
  local text = require("oras.registry.status").sanitise(question) .. " [y/N] "
  local answer, err = core.terminal.prompt(text)
  if answer then
    return answer
  elseif err.class == "cancelled" then
    errors.raise(err)
  elseif not err.message:find("no terminal", 1, true) then
    return nil
  end
  cancel "nobody is there to be asked, nothing was changed; --force does it without a question"
end

--- Ask before something is destroyed; a question that is not answered changes nothing.
---@param question string "delete localhost:5000/app@sha256:... with all its tags?"
---@param opts { force?: boolean } of the command; with `force` nobody is asked
---@raise oras.Error cancelled
function command.confirm(question, opts)
  if not opts.force and not is_yes(ask(question)) then
    cancel "nothing was changed"
  end
end

return command
