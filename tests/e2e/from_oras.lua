--- docs/from-oras.md, made of what `oras --help` says (tests/e2e/oras_flags.json has it), of what
--- our commands say of themselves, of the names of our tests, and of tests/e2e/from_oras_reasons.lua
--- for all that is not the same.
local commands = require "oras.cli.commands"
local oras = require "oras"
local reasons = require "tests.e2e.from_oras_reasons"
local summary = require "oras.cli.summary"

local from_oras = {}

from_oras.PAGE = "docs/from-oras.md"
from_oras.FLAGS = "tests/e2e/oras_flags.json"

local function output(command)
  local pipe = assert(io.popen(command .. " 2>&1"))
  local text = pipe:read "a"
  assert(pipe:close(), text)
  return text
end

local function section(text, title)
  return ("\n" .. text .. "\n\n"):match("\n" .. title .. ":\n(.-)\n\n") or ""
end

local function words_of_section(text, title)
  local words = {}
  for word in (section(text, title) .. "\n"):gmatch "  (%S+)[^\n]*\n" do
    words[#words + 1] = word
  end
  return words
end

-- "  -o, --output path   text": names and, for one that takes a value, its kind.
local function flags_of(text)
  local flags = oras.json.array {}
  for line in (section(text, "Flags") .. "\n"):gmatch "([^\n]*)\n" do
    local short, long, rest = line:match "^  (%-%a), (%-%-[%w-]+)(.*)$"
    if not long then
      long, rest = line:match "^      (%-%-[%w-]+)(.*)$"
    end
    local value = rest and rest:match "^ (%S+)"
    if long then
      flags[#flags + 1] = { long = long, short = short, value = value }
    end
  end
  return flags
end

local function aliases_of(text, name)
  local list = oras.json.array {}
  for word in section(text, "Aliases"):gmatch "[%w-]+" do
    list[#list + 1] = word ~= name:match "%S+$" and word or nil
  end
  return list
end

--- What a real oras says of its commands: `{version, commands = {{name, aliases, flags}}}`.
---@param program string path of oras
---@return table
function from_oras.ask(program)
  local found = oras.json.array {}
  local function visit(name)
    local text = output(("'%s' %s --help"):format(program, name))
    local below = words_of_section(text, "Available Commands")
    if #below == 0 then
      found[#found + 1] = { name = name, aliases = aliases_of(text, name), flags = flags_of(text) }
    end
    for _, word in ipairs(below) do
      visit(name == "" and word or name .. " " .. word)
    end
  end
  visit ""
  return { version = output(("'%s' version"):format(program)):match "Version:%s+(%S+)", commands = found }
end

--- What the repository keeps of that.
---@return table
function from_oras.known()
  local file = assert(io.open(from_oras.FLAGS, "rb"))
  local text = file:read "a"
  file:close()
  return assert(oras.json.decode(text))
end

local Page = {}
Page.__index = Page

local function is_value(flag)
  return flag.value ~= nil
end

local function flag_map(cmd)
  local map = {}
  for _, flag in ipairs(cmd.all_flags) do
    for _, name in ipairs(flag) do
      map[name] = flag
    end
  end
  return map
end

function Page:add(format, ...)
  self.lines[#self.lines + 1] = select("#", ...) > 0 and format:format(...) or format
end

function Page:problem(format, ...)
  self.problems[#self.problems + 1] = format:format(...)
end

-- The reason for a flag of a command, or the one for that flag everywhere.
function Page:reason(name, long)
  for _, key in ipairs { name .. " " .. long, "* " .. long } do
    if reasons.flags[key] then
      self.used[key] = true
      return reasons.flags[key]
    end
  end
  return {}
end

local function shown(flag)
  return (flag.short and ("`%s`, "):format(flag.short) or "") .. ("`%s`"):format(flag.long)
end

-- Ours and what is to be said of it: the third and fourth column.
function Page:verdict(name, flag, map)
  local ours, reason = map[flag.long], self:reason(name, flag.long)
  if ours and not (ours.hidden and (reason.no or reason.as)) then
    if reason.no or reason.as then
      self:problem("%s %s: is there, but a reason says that it is not", name, flag.long)
    end
    local lost = flag.short and map[flag.short] ~= ours and not reason.short
    if lost or is_value(ours) ~= is_value(flag) then
      self:problem("%s %s: is not the same (%s)", name, flag.long, flag.short or "takes a value?")
    end
    return reason.better and "better" or "same", reason.better or reason.note or reason.short or ""
  elseif reason.as then
    if not map[reason.as:match "^%-%-[%w-]+"] then
      self:problem("%s %s: there is no %s either", name, flag.long, reason.as)
    end
    return ("`%s`"):format(reason.as), reason.note or ""
  elseif not reason.no then
    self:problem("%s %s: is not there, and there is no reason for it", name, flag.long)
  end
  return "not there", reason.no or "?"
end

-- Our command of that name; the last word may be one that it takes ("completion bash").
local function find(name)
  local words = {}
  for word in name:gmatch "%S+" do
    words[#words + 1] = word
  end
  local found, last, whole = commands.find(words, 1)
  local cmd = whole and commands.load(found)
  local takes = cmd and cmd.words and type(cmd.words) ~= "function" and table.concat(cmd.words, " ") or ""
  local is_all = whole and (last == #words or (" " .. takes .. " "):find(" " .. words[#words] .. " ", 1, true))
  return is_all and cmd or nil
end

function Page:check_aliases(entry)
  for _, alias in ipairs(entry.aliases) do
    local name = entry.name:gsub("%S+$", alias)
    if find(name) ~= find(entry.name) then
      self:problem("%s: there is no %s", entry.name, name)
    end
  end
end

local function row(flag, verdict, why)
  return ("| %s | %s | %s |"):format(shown(flag), verdict, why)
end

local function without_side(cmd, flag)
  for _, side in ipairs(cmd.sides or {}) do
    local rest = flag.long:match("^%-%-" .. side .. "%-(.*)$")
    if rest then
      return { long = "--" .. rest }
    end
  end
  return flag
end

local function own_names(cmd)
  local own = {}
  for _, flag in ipairs(cmd.flags) do
    own[flag[2] or flag[1]] = true
  end
  return own
end

-- A flag of many commands, of which the same is to be said everywhere, stands in a table of its own.
function Page:is_shared(cmd, flag, verdict, why)
  local plain = without_side(cmd, flag)
  local text = row(plain, verdict, why)
  if plain ~= flag then
    return self.shared[plain.long] ~= nil and verdict ~= "not there"
  elseif not self.shared[plain.long] then
    self.shared[plain.long] = text
    table.insert(self.shared_order, plain.long)
  end
  return self.shared[plain.long] == text
end

-- Flags that are the same without a word go into one line.
function Page:flags(entry, cmd)
  local map, own, same, rows, theirs = flag_map(cmd), own_names(cmd), {}, {}, {}
  for _, flag in ipairs(entry.flags) do
    theirs[flag.long] = true
    local verdict, why = self:verdict(entry.name, flag, map)
    local is_own = own[flag.long] or (not map[flag.long] and not reasons.flags["* " .. flag.long])
    if not is_own and self:is_shared(cmd, flag, verdict, why) then
      same.shared = true
    elseif verdict == "same" and why == "" then
      same[#same + 1] = shown(flag)
    else
      rows[#rows + 1] = row(flag, verdict, why)
    end
  end
  return same, rows, theirs
end

-- The table of these flags, once all commands were seen.
function Page:shared_flags()
  table.sort(self.shared_order)
  local rows = {}
  for i, long in ipairs(self.shared_order) do
    rows[i] = self.shared[long]
  end
  return ("## Flags of many commands\n\n%s\n\n| oras | here | |\n|---|---|---|\n%s\n"):format(
    "A command has those of them that it has in oras, and most have all.", table.concat(rows, "\n"))
end

local function more_flags(cmd, theirs)
  local more = {}
  for _, flag in ipairs(cmd.flags) do
    local long = flag[2] or flag[1]
    more[#more + 1] = not theirs[long] and ("`%s`"):format(long) or nil
  end
  return more
end

function Page:command(entry)
  local cmd, reason = find(entry.name), reasons.commands[entry.name] or {}
  self.used_commands[entry.name] = true
  self:add("### oras %s\n", entry.name)
  if not cmd then
    if not reason.no then
      self:problem("%s: is not there, and there is no reason for it", entry.name)
    end
    self:add("Not there: %s\n", reason.no or "?")
    return
  end
  self:check_aliases(entry)
  local here = cmd.name ~= entry.name and not cmd.words and (" (`oras-lua %s` is the same)"):format(cmd.name) or ""
  local also = {}
  for i, alias in ipairs(entry.aliases) do
    also[i] = ("`%s`"):format(alias)
  end
  self:add("`oras-lua %s`%s%s. %s\n", entry.name, here, #also > 0 and ", also " .. table.concat(also, ", ") or "",
    reason.note or "Does the same.")
  local same, rows, theirs = self:flags(entry, cmd)
  if #same > 0 then
    self:add("Same flags: %s.\n", table.concat(same, ", "))
  end
  if #rows > 0 then
    self:add("| oras | here | |\n|---|---|---|\n%s\n", table.concat(rows, "\n"))
  end
  local more = more_flags(cmd, theirs)
  if #more > 0 then
    self:add("More here: %s.\n", table.concat(more, ", "))
  end
end

-- What the commands of oras-lua are that oras has no word for.
function Page:others(entries)
  local theirs = {}
  for _, entry in ipairs(entries) do
    local cmd = find(entry.name)
    theirs[cmd and cmd.name or ""] = true
  end
  self:add "## What oras has not\n\n| command | |\n|---|---|"
  for _, name in ipairs(summary.names()) do
    if not theirs[name] then
      self:add("| `%s` | %s |", name, (commands.load(name).about:gsub("\n", " ")))
    end
  end
  self:add ""
end

local function tests_by_wish()
  local found = {}
  local files = output "find tests -name '*_spec.lua' -o -name 'test_*.c' | LC_ALL=C sort"
  for path in files:gmatch "[^\n]+" do
    local file = assert(io.open(path, "rb"))
    for line in file:lines() do
      local title = line:find "[%w_]+[ (]+[\"']" and line:match "[\"'](.-)[\"']" or ""
      for number in (" " .. title):gmatch "%f[%w]W(%d+)%f[%W]" do
        local n = math.tointeger(tonumber(number))
        found[n] = found[n] or {}
        found[n][path] = true
      end
    end
    file:close()
  end
  return found
end

local function links(paths)
  local list = {}
  for path in pairs(paths) do
    list[#list + 1] = ("[%s](../%s)"):format(path:match "([^/]+)$", path)
  end
  table.sort(list)
  return table.concat(list, ", ")
end

-- The wishes of oras's users, each with its tests or with a reason.
function Page:wishes()
  local tests = tests_by_wish()
  self:add "## What users of oras wish for\n\n| wish | here | tests |\n|---|---|---|"
  for n, wish in ipairs(reasons.wishes) do
    if not tests[n] and not wish.no then
      self:problem("wish W%d (%s) has no test, and there is no reason for it", n, wish[1])
    elseif tests[n] and wish.no then
      self:problem("wish W%d has tests, but a reason says that it is not there", n)
    end
    self:add("| %d. %s | %s | %s |", n, wish[1], wish.no or wish[2], tests[n] and links(tests[n]) or "")
  end
  self:add ""
end

function Page:check_reasons()
  for key in pairs(reasons.flags) do
    if not self.used[key] then
      self:problem("the reason for %s is for nothing", key)
    end
  end
  for name in pairs(reasons.commands) do
    if not self.used_commands[name] then
      self:problem("the reason for %s is for nothing", name)
    end
  end
  table.sort(self.problems)
end

--- The page, and what is wrong with it.
---@param known table from known()
---@return string text
---@return string[] problems
function from_oras.page(known)
  local page = setmetatable({
    lines = {}, problems = {}, used = {}, used_commands = {}, shared = {}, shared_order = {},
  }, Page)
  page:add("%s", (reasons.head:gsub("VERSION", known.version)))
  page:add "SHARED"
  page:add "## Command by command\n"
  for _, entry in ipairs(known.commands) do
    page:command(entry)
  end
  page:others(known.commands)
  page:wishes()
  page:check_reasons()
  page.lines[2] = page:shared_flags()
  return (table.concat(page.lines, "\n"):gsub("\n+$", "\n")), page.problems
end

return from_oras
