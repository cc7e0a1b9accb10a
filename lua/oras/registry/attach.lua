--- Registry:attach: an artifact that refers to another.
local errors = require "oras.error"
local options = require "oras.options"

local Registry = require "oras.registry"

local function check(list, opts)
  if opts.artifact_type == nil then
    errors.usage "attach: the option artifact_type says what is attached"
  elseif type(list) ~= "table" then
    errors.usage("attach: the second argument is a list of files, not a %s", type(list))
  elseif opts.subject ~= nil or opts.untagged ~= nil then
    errors.usage "attach: the subject is the first argument, and what is attached has no name"
  elseif #list == 0 and not (opts.annotation_file or (opts.annotations and next(opts.annotations))) then
    errors.usage "attach: nothing to attach: neither a file nor an annotation"
  end
end

--- Store files as an artifact that refers to a manifest, which is found by `referrers` from then on.
--- It has no name of its own, but those of `tags`.
---
--- `opts`: `artifact_type` (needed), `platform` (refer to that manifest of an index), and those of
--- push: `annotations` or `annotation_file`, `config`, `created`, `tags`, `compression`, `algorithm`,
--- `concurrency`, `disable_path_validation`.
---@param ref string|oras.Container the subject
---@param list (string|table)[] as for push; may be empty if there are annotations
---@param opts table
---@return table descriptor of the manifest
---@return oras.Manifest
---@raise oras.Error usage, not_found, path, io, content, auth, denied, ...
function Registry:attach(ref, list, opts)
  local container = self:get_container(ref)
  opts = options.check(opts, require("oras.registry.push_plan").OPTIONS, "attach")
  check(list, opts)
  local pushed = options.copied(opts)
  pushed.subject = self:resolve(container, { platform = opts.platform })
  pushed.platform, pushed.untagged = nil, true
  return self:push(container:with_tag(container.tag or "latest"), list, pushed)
end
