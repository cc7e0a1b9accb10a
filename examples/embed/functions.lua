-- What functions.c calls, and what calls it.
local functions = require "oras.functions"
local oras = require "oras"

local Functions = oras.Registry:extend "Functions"

--- The tags of a repository, and how long this program's PATH is.
function Functions:describe(reference)
  return { tags = self:get_tags(reference), path = functions.environment "PATH" }
end

return Functions
