--- Providers that nobody trusts: they run in a process of their own, which has no file, no network, no
--- environment and no credentials, and asks this one for what its policy allows.
---
---     local sandbox <close> = require("oras.sandbox").open {
---       name = "@thing.lua", text = text, registry = oras.Registry:new(), references = { "ghcr.io/a/b:1" },
---     }
---     local result = sandbox:call("inspect", { "ghcr.io/a/b:1" })
local core = require "oras.core"
local errors = require "oras.error"
local options = require "oras.options"
local policy = require "oras.sandbox.policy"
local serve = require "oras.sandbox.serve"

local sandbox = {}

local OPTIONS <const> = {
  allow = "table", cpu = "number", files = "table", hosts = "table", name = "string", references = "table",
  registry = "table", repositories = "table", text = "string", wall = "number",
}

--- Seconds that a call may take, of time and of the processor's (docs/providers.md).
sandbox.WALL, sandbox.CPU = 10, 2

local SOURCE <const> = 1024 * 1024
local JSON <const> = 4 * 1024 * 1024

---@class oras.Sandbox
local Sandbox = { __name = "oras.Sandbox" }
Sandbox.__index = Sandbox

--- "sandbox".
function Sandbox.__tostring()
  return "sandbox"
end

local function check_source(text, name)
  if text:sub(1, 1) == "\27" then
    errors.raise { class = "sandbox", message = ("'%s' is compiled code, which is not loaded"):format(name) }
  elseif #text > SOURCE then
    errors.raise { class = "sandbox", message = ("'%s' is larger than %d bytes"):format(name, SOURCE) }
  end
  text = text:gsub("^\xEF\xBB\xBF", "")
  return (text:gsub("^#[^\n]*", ""))
end

-- References that are given as texts, as containers.
local function parsed(registry, list)
  local containers = {}
  for i, ref in ipairs(list or {}) do
    containers[i] = registry:get_container(ref)
  end
  return containers
end

--- Start the process and load a provider's text at the first call.
---@param opts table `name` (of the chunk) and `text` of the provider, `registry` (the object that serves it), what
--- is allowed: `references`, `hosts`, `repositories` (prefixes), `allow` ("push", "delete", "write"), `files`;
--- `wall` and `cpu` in seconds
---@return oras.Sandbox closable
---@raise oras.Error usage, sandbox, io
function sandbox.open(opts)
  options.check(opts, OPTIONS, "sandbox.open")
  local self = setmetatable({
    name = opts.name, text = check_source(opts.text, opts.name), registry = opts.registry,
    wall = opts.wall or sandbox.WALL, cpu = opts.cpu or sandbox.CPU,
    policy = policy.new {
      references = parsed(opts.registry, opts.references), hosts = opts.hosts, repositories = opts.repositories,
      allow = opts.allow, files = opts.files,
    },
  }, Sandbox)
  self.child = errors.check(core.sandbox.start())
  return self
end

--- End the process, whatever it does.
function Sandbox:close()
  if self.child then
    self.child:close()
    self.child = nil
  end
end

Sandbox.__close = Sandbox.close

--- Whether it can be called again: no call has ended its process.
---@return boolean
function Sandbox:is_usable()
  return self.child ~= nil
end

local CLASSES <const> = {}
for name in ([[
  usage auth denied not_found rate server network timeout tls protocol redirect integrity content limit path
  exists io config helper script sandbox unsupported
]]):gmatch "%S+" do
  CLASSES[name] = true
end

-- Lua's own words for what an attack on its limits ends in.
local EXHAUSTED <const> = { "not enough memory", "stack overflow", "error in error handling", "C stack overflow" }

local function is_exhausted(message)
  for _, words in ipairs(EXHAUSTED) do
    if message:find(words, 1, true) then
      return true
    end
  end
  return false
end

local TEXTS <const> = { "code", "method", "url", "digest" }

-- What the provider raised, as an error of ours. Nothing of it but texts is taken.
local function raise_theirs(given)
  given = type(given) == "table" and given or {}
  local message = policy.shown(type(given.message) == "string" and given.message or "the provider failed", 400)
  local err = { class = CLASSES[given.class] and given.class or "script", message = message }
  if err.class == "script" and is_exhausted(message) then
    err.class = "sandbox"
  end
  for _, name in ipairs(TEXTS) do
    local text = given[name]
    err[name] = type(text) == "string" and policy.shown(text) or nil
  end
  err.status = math.type(given.status) == "integer" and given.status or nil
  errors.raise(err)
end

local function ask(self, message, bytes)
  local text, err = core.json.encode(message)
  if not text then
    -- a text of a server's or an archive's that is no UTF-8: the provider is told so
    text = errors.check(core.json.encode { error = { class = err.class, message = err.message } })
    bytes = nil
  end
  local answer, payload = self.child:ask(text, bytes)
  if not answer then
    errors.raise(payload)
  end
  local decoded = core.json.decode(answer, { max_bytes = JSON })
  if type(decoded) ~= "table" or core.json.is_array(decoded) then
    errors.raise { class = "sandbox", message = "the provider's process sent no message" }
  end
  return decoded, payload
end

local function first_message(self, method, args)
  local message = { method = method, args = core.json.array(args), cpu = self.cpu }
  if not self.loaded then
    message.provider = self.name
    self.loaded = true
    return message, self.text
  end
  return message
end

local States = { __close = serve.close }

-- Nothing is known of a process that is left in the midst of a call.
local Guard = {
  __close = function(guard)
    if not guard.is_done then
      guard.box:close()
    end
  end,
}

local function run(self, method, args, allowed)
  local guard <close> = setmetatable({ box = self }, Guard)
  local state <close> = setmetatable(serve.new(self.registry, allowed), States)
  local message, bytes = ask(self, first_message(self, method, args))
  while message.op ~= "result" and message.op ~= "error" do
    local answer, payload = serve.answer(state, message, bytes)
    message, bytes = ask(self, answer, payload)
  end
  guard.is_done = true
  return message
end

--- Call a method of the provider's one object.
---@param method string
---@param args any[] what JSON has
---@param references? string[] what this call may read, too
---@return any result what JSON has; nil for none
---@raise oras.Error sandbox, and what the provider raises
function Sandbox:call(method, args, references)
  if not self.child then
    errors.raise { class = "sandbox", message = "the sandbox is closed" }
  end
  errors.check(self.child:begin(self.wall, self.cpu))
  local allowed = references and self.policy:with(parsed(self.registry, references)) or self.policy
  local message = run(self, method, args, allowed)
  if message.op == "error" then
    raise_theirs(message.error)
  end
  if message.result == core.json.null then
    return nil
  end
  return message.result
end

return sandbox
