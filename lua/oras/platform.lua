--- Platforms: "os/arch[/variant]", other spellings of them, and which entry of an index
--- serves which platform (image-spec image-index.md; variants as containerd ranks them).
local errors = require "oras.error"

local platform = {}

local OS <const> = { macos = "darwin" }

local ARCHITECTURES <const> = {
  x86_64 = { "amd64" }, ["x86-64"] = { "amd64" },
  aarch64 = { "arm64" }, armhf = { "arm", "v7" }, armel = { "arm", "v6" }, i386 = { "386" },
}

-- From the best down; a platform also runs what stands behind it.
local VARIANTS <const> = {
  amd64 = { "v4", "v3", "v2", "v1" },
  arm = { "v8", "v7", "v6", "v5" },
  arm64 = { "v9", "v8" },
}

-- The variant that none stands for.
local BASE <const> = { amd64 = "v1", arm = "v7", arm64 = "v8" }

---@class oras.Platform
---@field os string
---@field architecture string
---@field variant? string
---@field os_version? string
---@field os_features? string[]

--- Bring a platform table into one spelling; variants that are implied are filled in.
---@param p table fields as in an index or with os_version, os_features
---@return oras.Platform
function platform.normalise(p)
  local os, arch = tostring(p.os):lower(), tostring(p.architecture):lower()
  local known = ARCHITECTURES[arch]
  local variant = p.variant
  if known then
    arch = known[1]
    variant = known[2] or variant
  end
  if type(variant) ~= "string" or variant == "" then
    variant = BASE[arch]
  end
  local features = p.os_features or p["os.features"]
  return {
    os = OS[os] or os,
    architecture = arch,
    variant = variant and variant:lower(),
    os_version = p.os_version or p["os.version"],
    os_features = type(features) == "table" and features or nil,
  }
end

-- The fields of a caller's table that may be there.
local KINDS <const> = {
  ["os.features"] = "table", ["os.version"] = "string", os_features = "table", os_version = "string",
  variant = "string",
}

--- Read "os/arch[/variant]" or take a table; both normalised.
---@param p string|table
---@return oras.Platform
---@raise oras.Error usage
function platform.parse(p)
  if type(p) == "string" then
    local os, arch, variant = p:match("^([%w._-]+)/([%w._-]+)/?([%w._-]*)$")
    if not os or (p:sub(-1) == "/") then
      errors.usage('platform %q: expected "os/arch" or "os/arch/variant"', p)
    end
    return platform.normalise { os = os, architecture = arch, variant = variant }
  end
  if type(p) ~= "table" or type(p.os) ~= "string" or type(p.architecture) ~= "string" then
    errors.usage 'a platform is "os/arch[/variant]" or a table with os and architecture'
  end
  for field, kind in pairs(KINDS) do
    if p[field] ~= nil and type(p[field]) ~= kind then
      errors.usage("platform: %s is a %s, not a %s", field, kind, type(p[field]))
    elseif kind == "table" then
      require("oras.options").texts(p[field], "platform: " .. field)
    end
  end
  return platform.normalise(p)
end

--- A platform as text, "linux/arm/v7".
---@param p table
---@param full? boolean with the variant, also the one that none stands for
---@return string
function platform.format(p, full)
  local text = ("%s/%s"):format(p.os, p.architecture)
  if p.variant and (full or p.variant ~= BASE[p.architecture]) then
    text = text .. "/" .. p.variant
  end
  return text
end

local function position(list, value)
  for i, item in ipairs(list or {}) do
    if item == value then
      return i
    end
  end
end

local function variant_rank(wanted, offered)
  if wanted.variant == offered.variant then
    return 0
  end
  local ladder = VARIANTS[wanted.architecture]
  local from, to = position(ladder, wanted.variant), position(ladder, offered.variant)
  if from and to and to > from then
    return to - from
  end
end

local function has_features(wanted, offered)
  for _, feature in ipairs(wanted.os_features or {}) do
    if not position(offered.os_features, feature) then
      return false
    end
  end
  return true
end

--- How well an offer serves a wish: 0 exactly, more for lower variants, nil not at all.
---@param wanted oras.Platform normalised
---@param offered oras.Platform normalised
---@return integer?
function platform.match(wanted, offered)
  if wanted.os ~= offered.os or wanted.architecture ~= offered.architecture then
    return nil
  end
  if wanted.os_version and wanted.os_version ~= offered.os_version then
    return nil
  end
  return has_features(wanted, offered) and variant_rank(wanted, offered) or nil
end

return platform
