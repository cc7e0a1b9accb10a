--- Globs: "*" stands for any characters, "/" too, "?" for one; everything else for itself.
local glob = {}

local STAR <const>, ANY <const> = ("*"):byte(), ("?"):byte()

--- Has a text characters that stand for others?
---@param text string
---@return boolean
function glob.is_glob(text)
  return text:find "[*?]" ~= nil
end

--- Does a text fit a glob? Texts are a server's: what a pattern of Lua would try again and again
--- is tried once, behind the last "*" only.
---@param text string
---@param given string the glob
---@return boolean
function glob.match(text, given)
  local at, g = 1, 1
  local star, from
  while at <= #text do
    local wanted = given:byte(g)
    if wanted == STAR then
      star, from, g = g, at, g + 1
    elseif wanted == ANY or wanted == text:byte(at) then
      at, g = at + 1, g + 1
    elseif star then
      from = from + 1
      at, g = from, star + 1
    else
      return false
    end
  end
  return given:find("^%**$", g) ~= nil
end

return glob
