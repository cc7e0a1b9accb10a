--- What the commands are, in a few words each and in the order of what they are for: the list of
--- `oras-lua --help` and of its page. What the program has and is not named here comes last.
local commands = require "oras.cli.commands"

local summary = {}

---@class oras.CommandGroup
---@field title string
---@field place "left"|"right"|"below" where --help has it
---@field [integer] string[] name and a few words

---@type oras.CommandGroup[]
local GROUPS <const> = {
  {
    title = "files",
    place = "left",
    { "push", "store files" },
    { "pull", "get files" },
    { "attach", "store files about others" },
    { "verify", "compare files with these" },
    { "inspect", "show what something is" },
    { "discover", "show what is about it" },
  },
  {
    title = "copies",
    place = "left",
    { "copy", "to another place (cp)" },
    { "backup", "to a directory or tar" },
    { "restore", "and back" },
  },
  {
    title = "names",
    place = "right",
    { "resolve", "digest of a name" },
    { "tags", "list names" },
    { "tag", "give more names" },
    { "untag", "take names away" },
    { "delete", "with all its names" },
  },
  {
    title = "hosts",
    place = "right",
    { "repos", "list repositories" },
    { "login", "keep credentials" },
    { "logout", "forget them" },
  },
  {
    title = "parts",
    place = "below",
    { "manifest fetch", "its bytes" },
    { "manifest fetch-config", "its config" },
    { "manifest push", "from a file" },
    { "manifest delete", "with all its names" },
    { "manifest index create", "of manifests" },
    { "manifest index update", "change it" },
    { "blob fetch", "its bytes" },
    { "blob push", "from a file" },
    { "blob delete", "by its digest" },
  },
  {
    title = "self",
    place = "right",
    { "completion", "for a shell" },
    { "help", "of a command" },
    { "version", "of oras-lua" },
  },
}

-- A name of a module and not another word for it.
local function own_names()
  local set = {}
  for _, name in ipairs(commands.names()) do
    set[name] = commands.load(name).name == name or nil
  end
  return set
end

--- The groups with what the program has of them, and what is in none as the last one.
---@return oras.CommandGroup[]
function summary.groups()
  local rest, found = own_names(), {}
  for _, group in ipairs(GROUPS) do
    local kept = { title = group.title, place = group.place }
    for _, entry in ipairs(group) do
      if rest[entry[1]] then
        kept[#kept + 1] = entry
        rest[entry[1]] = nil
      end
    end
    found[#found + 1] = #kept > 0 and kept or nil
  end
  local more = { title = "more", place = "below" }
  for _, name in ipairs(commands.names()) do
    more[#more + 1] = rest[name] and { name, "" } or nil
  end
  found[#found + 1] = #more > 0 and more or nil
  return found
end

--- The names of all commands, without other words for them, in the order of the groups.
---@return string[]
function summary.names()
  local names = {}
  for _, group in ipairs(summary.groups()) do
    for _, entry in ipairs(group) do
      names[#names + 1] = entry[1]
    end
  end
  return names
end

return summary
