--- `oras.Registry` in the sandbox's child: the class that providers know. Its places are the parent's;
--- what would send, authenticate or write by itself is refused.
local Registry = require "oras.registry"
local container = require "oras.container"
local errors = require "oras.error"
local link = require "oras.sandbox.link"
local options = require "oras.options"

-- Options of one's own objects that decide nothing outside of them. All else is the user's to say.
local HARMLESS <const> = { hostname = true, limits = true, user_agent = true, concurrency = true, retry = true }

local init <const> = Registry.init

--- Set up an object. Where it connects to, and how, the user says.
---@param opts? table
function Registry:init(opts)
  for name in pairs(type(opts) == "table" and opts or {}) do
    if Registry.options[name] and not HARMLESS[name] then
      link.refuse(("the option '%s'"):format(name))
    end
  end
  init(self, opts)
end

function Registry:_backend(place) -- luacheck: no self
  if not container.is_container(place) then
    errors.usage("get_container gives a container, not a %s", type(place))
  end
  return require "oras.sandbox.backend"
end

for name in ([[
  attach authenticate backup cancel_upload chunked_upload copy do_request finish_upload get_credentials index
  login logout make_index patch_upload pull push put_upload rate_limit repositories restore send
  set_basic_auth set_header set_token_auth start_upload stream_upload upload_status verify wait_for_rate
]]):gmatch "%S+" do
  Registry[name] = function()
    link.refuse(("the method '%s'"):format(name))
  end
end

--- Who refers to a manifest; the parent asks.
---@param ref string|oras.Container
---@param opts? { artifact_type?: string, annotations?: table }
---@return table[]
function Registry:referrers(ref, opts)
  local place = self:get_container(ref)
  opts = options.check(opts, { annotations = "table", artifact_type = "string" }, "referrers")
  return link.ask({
    op = "referrers", ref = place.uri, artifact_type = opts.artifact_type, annotations = opts.annotations,
  }).list
end

--- Upload a blob: `{ data = bytes }`, or the path of a file that the user has named.
---@param ref string|oras.Container
---@param source string|table
---@param blob? string|table digest or descriptor, which is filled in
---@param opts? { media_type?: string, title?: string }
---@return table descriptor
---@return string done
function Registry:upload_blob(ref, source, blob, opts)
  local place = self:get_container(ref)
  opts = options.check(opts, { media_type = "string", title = "string" }, "upload_blob")
  local path = type(source) == "table" and source.path or source
  local data = type(source) == "table" and source.data
  if type(blob) == "string" then
    blob = { digest = blob }
  end
  if not data and type(path) ~= "string" then
    errors.usage "upload_blob: in the sandbox a source is { data = bytes } or a path"
  end
  local answer = link.ask({
    op = "upload", ref = place.uri, file = not data and path or nil, blob = blob or {}, media_type = opts.media_type,
    title = opts.title,
  }, data or nil)
  for key, value in pairs(type(blob) == "table" and answer.descriptor or {}) do
    blob[key] = value
  end
  return answer.descriptor, answer.done
end

return Registry
