--- oras-lua tags: the tags of a repository, and what they lead to.
local command = require "oras.cli.command"
local core = require "oras.core"
local errors = require "oras.error"
local report = require "oras.cli.report"
local shown = require("oras.cli.describe").shown
local task = require "oras.task"

-- What each tag leads to; one that went meanwhile is none.
local function resolved(registry, container, tags, concurrency)
  return task.map(tags, function(tag)
    local descriptor, err = errors.try(registry.resolve, registry, container:with_tag(tag))
    if descriptor then
      return { tag = tag, mediaType = descriptor.mediaType, digest = descriptor.digest, size = descriptor.size }
    elseif err.class ~= "not_found" then
      errors.raise(err)
    end
    report.say('"%s" leads to nothing', tag)
    return false
  end, { concurrency = concurrency })
end

local function columns(list, width)
  local lines = {}
  for i, one in ipairs(list) do
    lines[i] = ("%s%s  %s"):format(shown(one.tag), (" "):rep(width - #one.tag), one.digest)
  end
  return lines
end

local function widest(list)
  local width = 0
  for _, one in ipairs(list) do
    width = math.max(width, #one.tag)
  end
  return width
end

local function text_of(lines)
  return #lines > 0 and table.concat(lines, "\n") .. "\n" or ""
end

-- One a line, whatever bytes a registry has for a name.
local function names_of(tags)
  local lines = {}
  for i, tag in ipairs(tags) do
    lines[i] = shown(tag)
  end
  return lines
end

-- Of a layout whose names are whole references, those of one repository, as oras lists them; and
-- what comes before their tags. Nil where the reference names a manifest.
local function below(container, tags)
  local prefix = container.kind == "layout" and (container.tag or ""):find "/" and container.tag .. ":"
  local found = {}
  for _, tag in ipairs(tags) do
    if not prefix or tag == container.tag then
      return nil
    elseif tag:sub(1, #prefix) == prefix then
      found[#found + 1] = tag
    end
  end
  return #found > 0 and found or nil, prefix
end

local function run(registry, words, opts)
  local container = registry:get_container(words[1])
  local tags = registry:get_tags(container, {
    exclude_digest_tags = opts.exclude_digest_tags, filter = opts.filter and function(tag)
      return require("oras.glob").match(tag, opts.filter)
    end, last = opts.last,
  })
  local some, prefix = below(container, tags)
  local start = some and #prefix + 1 or 1
  tags = some or tags
  local of_one = not some and not container.implicit_tag -- those of the same manifest
  local document = { tags = core.json.array {} }
  local details = (opts.digests or of_one) and resolved(registry, container, tags, opts.concurrency)
  if not details then
    for i, tag in ipairs(tags) do
      document.tags[i] = tag:sub(start)
    end
    return { text = text_of(names_of(document.tags)), document = document }
  end
  local wanted = of_one and registry:resolve(container).digest
  local list = core.json.array {}
  for _, one in ipairs(details) do
    if one and (not wanted or one.digest == wanted) then
      one.tag = one.tag:sub(start)
      list[#list + 1] = one
      table.insert(document.tags, one.tag)
    end
  end
  document.digests = opts.digests and list or nil
  return {
    text = text_of(opts.digests and columns(list, widest(list)) or names_of(document.tags)),
    line = text_of(opts.digests and columns(list, 0) or names_of(document.tags)), document = document,
  }
end

return command.new {
  name = "tags",
  usage = "REF",
  about = "List the tags of a repository; of those, the ones of a manifest, if REF names one.",
  example = "oras-lua tags localhost:5000/app --digests",
  least = 1,
  most = 1,
  flags = {
    { "--last", value = "TAG", about = "begin behind that tag" },
    { "--exclude-digest-tags", about = "leave out tags that stand for a digest, sha256-..." },
    { "--digests", about = "with the digest that each leads to" },
    { "--filter", value = "GLOB", about = "those that fit, as 'v1.*'" },
  },
  run = run,
}
