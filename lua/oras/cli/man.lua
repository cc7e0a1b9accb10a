--- The manual pages, made of what --help is made of.
local commands = require "oras.cli.commands"
local core = require "oras.core"
local options = require "oras.cli.options"
local summary = require "oras.cli.summary"

local man = {}

local function escape(text)
  return (text:gsub("\\", "\\e"):gsub("%-", "\\-"):gsub("'", "\\(aq"):gsub("%^", "\\(ha"):gsub("~", "\\(ti"))
end

-- Text that stands at the beginning of a line is no request.
local function line(text)
  return (escape(text):gsub("^%.", "\\&."))
end

-- The day of the build, or the one that a reproducible build names.
local function date()
  return os.date("!%Y-%m-%d", math.tointeger(tonumber(os.getenv "SOURCE_DATE_EPOCH")))
end

local function head(name, about)
  return {
    ('.TH %s 1 %s "oras\\-lua %s"'):format(escape(name:upper()), date(), core.version),
    ".SH NAME", ("%s \\- %s"):format(escape(name), escape(about)),
  }
end

local function add(page, ...)
  for _, text in ipairs { ... } do
    page[#page + 1] = text
  end
end

-- "-o, --output DIR" with names in bold and the value in italics.
local function flag_head(flag)
  local names = {}
  for i, name in ipairs(flag) do
    names[i] = "\\fB" .. escape(name) .. "\\fR"
  end
  local value = flag.value and (" \\fI%s\\fR"):format(escape(flag.value)) or ""
  return table.concat(names, ", ") .. value
end

local function add_flags(page, title, list)
  local is_first = true
  for _, flag in ipairs(list) do
    if not flag.hidden then
      page[#page + 1] = is_first and ".SH " .. title or nil
      is_first = false
      add(page, ".TP", flag_head(flag), line(flag.about))
    end
  end
end

local function add_paragraphs(page, text)
  local is_first = true
  for one in text:gmatch "[^\n]+" do
    page[#page + 1] = not is_first and ".PP" or nil
    is_first = false
    add(page, line(one))
  end
end

local EXIT <const> = {
  { "0", "done" },
  { "1", "the world refused: a registry, a file, a script's error, standard output that takes nothing" },
  { "2", "the command line was wrong" },
  { "130, 143", "interrupted by SIGINT, SIGTERM" },
}

local function add_exit(page)
  add(page, ".SH EXIT STATUS")
  for _, row in ipairs(EXIT) do
    add(page, ".TP", row[1], line(row[2]))
  end
end

local function first_sentence(text)
  return (text:match "^[^\n]*":gsub("%.%s.*", ""):gsub("%.$", ""))
end

local function small(text)
  return (text:gsub("^%u", string.lower))
end

local function title_of(name)
  return "oras-lua-" .. name:gsub(" ", "-")
end

--- The page of a command, as roff.
---@param cmd oras.Command
---@return string
function man.command(cmd)
  local page = head(title_of(cmd.name), small(first_sentence(cmd.about)))
  add(page, ".SH SYNOPSIS", (".B oras\\-lua %s"):format(escape(cmd.name)),
    line(("[FLAG...] " .. cmd.usage):gsub("%s+$", "")), ".SH DESCRIPTION")
  add_paragraphs(page, cmd.about)
  add_flags(page, "FLAGS", cmd.flags)
  add_flags(page, "FLAGS FOR THE REGISTRY", cmd.registry_flags)
  add_flags(page, "FLAGS OF ALL COMMANDS", cmd.common_flags)
  add(page, ".SH EXAMPLE", ".nf", line(cmd.example or "oras-lua " .. cmd.name), ".fi")
  add_exit(page)
  add(page, ".SH SEE ALSO", ".BR oras\\-lua (1)")
  return table.concat(page, "\n") .. "\n"
end

local ENVIRONMENT <const> = {
  { "DOCKER_CONFIG", "the directory of config.json, which has credentials; ~/.docker by default" },
  { "REGISTRY_AUTH_FILE", "a file of credentials as podman and skopeo have it" },
  { "ORAS_CACHE", "a layout on disk that keeps what commands fetch; processes share it" },
  { "NO_COLOR", "with any value: no colours" },
  { "LUA_PATH, LUA_CPATH", "where scripts find modules, as lua reads them" },
  { "HTTPS_PROXY, HTTP_PROXY, NO_PROXY", "which proxy leads to which registry, as curl reads them" },
  { "SOURCE_DATE_EPOCH", "the time that packed files get, and an artifact's creation where it has one" },
}

local function add_pairs(page, title, list)
  add(page, ".SH " .. title)
  for _, row in ipairs(list) do
    add(page, ".TP", (".B %s"):format(escape(row[1])), line(row[2]))
  end
end

local function add_commands(page)
  add(page, ".SH COMMANDS")
  for _, name in ipairs(summary.names()) do
    local about = commands.load(name).about:match "^[^\n]*"
    add(page, ".TP", (".BR %s (1)"):format(escape(title_of(name))), line(about))
  end
end

local DESCRIPTION <const> = [[
oras-lua works with OCI registries and with OCI layouts on disk. Its first word says what it does:
.IP 1.
a word with a \(dq/\(dq in it or that ends in \(dq.lua\(dq is a script, \(dq\-\(dq the one on standard
input: Lua 5.4, in which require \(dqoras\(dq works;
.IP 2.
else the name of a command, of a provider, or of a script, in this order. Behind a provider stands one of its
methods; what that gives is printed as JSON.
.PP
A reference is host/repository:tag, host/repository@digest, oci:DIR:TAG or oci:FILE.tar:TAG. Results are printed on
standard output and everything else on standard error; a command that fails prints nothing on standard output.]]

--- The page of the program, as roff.
---@return string
function man.program()
  local page = head("oras-lua", "work with OCI registries, by commands and by Lua scripts")
  add(page, ".SH SYNOPSIS", ".B oras\\-lua", "[OPTION...] COMMAND [ARG...]", ".br", ".B oras\\-lua",
    "[OPTION...] SCRIPT.lua [ARG...]", ".br", ".B oras\\-lua", "[OPTION...] PROVIDER METHOD [ARG...]",
    ".SH DESCRIPTION", DESCRIPTION)
  add_flags(page, "OPTIONS", options.LIST)
  add_commands(page)
  add_flags(page, "FLAGS FOR A REGISTRY", commands.load("push").registry_flags)
  add_flags(page, "FLAGS OF ALL COMMANDS", commands.load("push").common_flags)
  add_pairs(page, "ENVIRONMENT", ENVIRONMENT)
  add_exit(page)
  add(page, ".SH SEE ALSO", "oras\\-lua help flags")
  return table.concat(page, "\n") .. "\n"
end

--- All pages by the names of their files.
---@return table<string, string>
function man.pages()
  local pages = { ["oras-lua.1"] = man.program() }
  for _, name in ipairs(summary.names()) do
    pages[title_of(name) .. ".1"] = man.command(commands.load(name))
  end
  return pages
end

return man
