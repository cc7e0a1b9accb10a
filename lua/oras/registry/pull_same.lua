--- Is what lies on the disk what an artifact has?
local core = require "oras.core"
local defaults = require "oras.defaults"

local same = {}

--- Is the file that is there the one of the entry?
---@param root userdata of core.file.root
---@param entry table with `existing`, what root:look gave
---@return boolean
function same.file(root, entry)
  local wanted = entry.descriptor
  return entry.existing.size == wanted.size
    and root:digest(entry.title, wanted.digest:match "^[^:]+") == wanted.digest
end

--- Packed as push packs it a directory has the tar that the layer says it has, or it is fetched:
--- one file more, another mode, a file that cannot be read. Where no links may be, none are
--- looked for here. The path was looked at for links; it must still be without.
---@param root userdata
---@param entry table
---@param opts table of pull
---@return boolean
function same.directory(root, entry, opts)
  local annotations, limits = entry.descriptor.annotations, opts.limits
  local wanted = type(annotations) == "table" and annotations[defaults.annotation_digest]
  if type(wanted) ~= "string" or not entry.prefix or opts.links == false then
    return false
  end
  local tar <close> = core.archive.pack {
    path = entry.path, prefix = entry.prefix, compression = "none", mtime = 0,
    max_entries = limits and limits.max_entries,
  }
  if not tar or tar:hash() ~= wanted then
    return false
  end
  local found = root:look(entry.title)
  return found ~= nil and found.type == "directory"
end

return same
