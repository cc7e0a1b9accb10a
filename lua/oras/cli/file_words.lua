--- The words of push and attach that are files: "path[:media/type]", "-" for standard input, and
--- the flags that say more of one of them, -a FILE:KEY=VALUE and --title FILE=TITLE.
local command = require "oras.cli.command"
local errors = require "oras.error"
local glob = require "oras.glob"
local raw = require "oras.cli.raw"
local report = require "oras.cli.report"
local split = require("oras.registry.files").split

local file_words = {}

-- Standard input, which has a title only if somebody gives it one.
local function stdin_file(media_type)
  local file = raw.stdin()
  file.media_type = media_type
  return file
end

local function parse(words)
  local list, seen = {}, false
  for i, word in ipairs(words) do
    local path, media_type = split(word)
    if path == "-" and seen then
      errors.usage "standard input can be pushed once"
    end
    seen = seen or path == "-"
    list[i] = { name = path, word = word, media_type = media_type }
  end
  return list
end

-- The files that a name means: one as it was typed, else all that fit a glob.
local function named(list, name)
  local found = {}
  for _, one in ipairs(list) do
    if one.name == name then
      return { one }
    elseif glob.match(one.name, name) then
      found[#found + 1] = one
    end
  end
  return found
end

local function annotate(one, key, value)
  one.annotations = one.annotations or {}
  if one.annotations[key] then
    errors.usage('option \'-a\' gives "%s" of "%s" twice', key, one.name)
  end
  one.annotations[key] = value
end

-- "FILE:KEY=VALUE" belongs to a file, "KEY=VALUE" to the manifest. So does a key with a colon, which
-- oras takes, too; as it may be a file mistyped, it is told where there are files.
local function sort_annotations(list, texts)
  local rest = {}
  for _, text in ipairs(texts or {}) do
    local before, value = text:match "^([^=]*)=(.*)$"
    local name, key = (before or ""):match "^(.+):([^:]+)$"
    local found = name and named(list, name) or {}
    for _, one in ipairs(found) do
      annotate(one, key, value)
    end
    if #found == 0 then
      rest[#rest + 1] = text
      if name and #list > 0 then
        report.say('no file "%s" is among the words: "%s" annotates the manifest', name, before)
      end
    end
  end
  return #rest > 0 and rest or nil
end

local function add_titles(list, titles)
  for _, text in ipairs(titles or {}) do
    local name, title = text:match "^(.+)=([^=]+)$"
    if not name then
      errors.usage("option '--title' is FILE=TITLE, not '%s'", text)
    end
    local found = named(list, name)
    if #found == 0 then
      errors.usage("option '--title %s': no file \"%s\" is among the words", text, name)
    end
    for _, one in ipairs(found) do
      one.title = title
    end
  end
end

local function file_of(one)
  if one.name == "-" then
    local file = stdin_file(one.media_type)
    file.title, file.annotations = one.title, one.annotations
    return file
  elseif not one.title and not one.annotations then
    return one.word
  end
  return { path = one.name, media_type = one.media_type, title = one.title, annotations = one.annotations }
end

--- What push takes for the words from `first` on, and the annotations of the manifest.
---@param words string[]
---@param first integer
---@param opts { annotation?: string[], title?: string[] } flags
---@return (string|table)[] files
---@return table<string, string>? annotations
---@raise oras.Error usage
function file_words.files(words, first, opts)
  local list = parse(table.move(words, first, #words, 1, {}))
  local annotations = command.pairs(sort_annotations(list, opts.annotation), "--annotation")
  add_titles(list, opts.title)
  for i, one in ipairs(list) do
    list[i] = file_of(one)
  end
  return list, annotations
end

--- The config that a word means.
---@param word? string
---@return string|table|nil
function file_words.config(word)
  local path, media_type = split(word or "")
  return path == "-" and stdin_file(media_type) or word
end

--- Flags that say more of files.
---@type oras.Flag[]
file_words.FLAGS = {
  { "-a", "--annotation", value = "[FILE:]KEY=VALUE", many = true, about = "of the manifest, or of a FILE (a glob)" },
  { "--annotation-file", value = "FILE", about = "annotations of manifest, config and files, as JSON" },
  { "--title", value = "FILE=TITLE", many = true, about = "the name that FILE, or -, is stored under" },
  { "--compression", value = "gzip|zstd|none", choices = { "gzip", "zstd", "none" }, about = "of directories (gzip)" },
  { "--preserve-permissions", about = "note the modes of single files for pull" },
  { "--created", value = "TIME", about = "note that time, or 'now'" },
  {
    "--digest-algorithm", value = "sha256|sha512", choices = { "sha256", "sha512" }, about = "of all digests (sha256)",
  },
  { "--disable-path-validation", about = "allow files outside of the working directory" },
}

--- The options of push and attach that these flags, and those that both share, stand for.
---@param opts table<string, any> flags
---@return table
function file_words.options(opts)
  return {
    algorithm = opts.digest_algorithm,
    annotation_file = opts.annotation_file,
    artifact_type = opts.artifact_type,
    compression = opts.compression,
    concurrency = opts.concurrency,
    config = file_words.config(opts.config),
    created = opts.created == "now" or opts.created,
    disable_path_validation = opts.disable_path_validation,
    preserve_permissions = opts.preserve_permissions,
  }
end

--- The flags of a command that stores files: its own, then those.
---@param own oras.Flag[]
---@return oras.Flag[]
function file_words.flags(own)
  return table.move(file_words.FLAGS, 1, #file_words.FLAGS, #own + 1, own)
end

return file_words
