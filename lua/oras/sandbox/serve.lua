--- Answers what a provider in the sandbox asks, within a policy. Each message is as hostile as a server's
--- answer.
local errors = require "oras.error"
local fields = require "oras.sandbox.fields"
local handles = require "oras.sandbox.handles"
local ops = require "oras.sandbox.operations"

local serve = { close = handles.close }

local REQUESTS <const> = 10000 -- a call

local function drop_all(state, list)
  for _, id in ipairs(type(list) == "table" and list or {}) do
    handles.drop(state, id)
  end
end

local function perform(state, message, bytes)
  state.n_requests = state.n_requests + 1
  if state.n_requests > REQUESTS then
    errors.raise { class = "sandbox", message = ("the provider asked more than %d times"):format(REQUESTS) }
  end
  drop_all(state, message.dropped)
  local op = ops[message.op] or fields.malformed "op"
  return { op(state, message, bytes) }
end

--- What a call of the provider's may still have.
---@param registry oras.Registry the user's
---@param policy table
---@return table
function serve.new(registry, policy)
  return {
    registry = registry, policy = policy, handles = {}, last = 0, n_handles = 0, n_printed = 0, n_requests = 0,
  }
end

--- Do what a message asks for; failures of the world are an answer, too.
---@return table answer
---@return string? bytes
function serve.answer(state, message, bytes)
  local done, err = errors.try(perform, state, message, bytes)
  if done then
    return done[1], done[2]
  end
  if err.class == "cancelled" then
    errors.raise(err)
  end
  return { error = {
    class = err.class, message = err.message, code = err.code, status = err.status, method = err.method,
    url = err.url, digest = err.digest,
  } }
end

return serve
