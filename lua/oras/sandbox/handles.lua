--- What stays open between two messages: streams, readers of archives, pages. The provider knows them by
--- numbers, of a call.
local errors = require "oras.error"
local fields = require "oras.sandbox.fields"

local handles = {}

local HANDLES <const> = 64 -- at once

--- Keep a value of a kind.
---@return integer handle
---@raise oras.Error sandbox
function handles.keep(state, kind, value)
  if state.n_handles >= HANDLES then
    errors.raise { class = "sandbox", message = ("the provider holds more than %d things open"):format(HANDLES) }
  end
  state.last, state.n_handles = state.last + 1, state.n_handles + 1
  state.handles[state.last] = { kind = kind, value = value }
  return state.last
end

--- Somebody else closes it.
function handles.forget(state, id)
  state.handles[id], state.n_handles = nil, state.n_handles - 1
end

--- Close it, if it is there.
function handles.drop(state, id)
  local entry = state.handles[id]
  if not entry then
    return
  end
  handles.forget(state, id)
  if type(entry.value) == "table" then
    entry.value:close()
  end
end

--- What a message's handle stands for.
---@return table entry
---@raise oras.Error sandbox
function handles.held(state, message, kind)
  local entry = state.handles[fields.get(message, "handle", "integer")]
  if not entry or entry.kind ~= kind then
    fields.malformed "handle"
  end
  return entry
end

--- Close what the provider has left open.
function handles.close(state)
  for id in pairs(state.handles) do
    handles.drop(state, id)
  end
end

return handles
