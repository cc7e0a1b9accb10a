--- When a request is sent again, and how long to wait before.
local core = require "oras.core"

local retry = {}

--- Numbers of the policy (design: 5 tries, 250 ms doubled with full jitter, at most 10 s,
--- Retry-After up to 60 s, 60 s in all). `Registry:new { retry = {...} }` changes them.
retry.defaults = { tries = 5, wait = 0.25, max_wait = 10, max_retry_after = 60, budget = 60 }

--- Types of those numbers, for checking options.
retry.options = {
  tries = "integer", wait = "number", max_wait = "number", max_retry_after = "number",
  budget = "number",
}

local STATUSES <const> = {
  [408] = true, [429] = true, [500] = true, [502] = true, [503] = true, [504] = true,
}

--- Is it an answer that a second try may better?
---@param status integer
---@return boolean
function retry.is_status(status)
  return STATUSES[status] == true
end

---@class oras.Failure
---@field method string
---@field url string
---@field attempt integer how many tries there were
---@field spoilt integer how many of them brought wrong bytes
---@field error? oras.Error what broke
---@field response? oras.Response what was answered

--- The policy: statuses above, what the core calls retryable, and one more try for content
--- that arrived wrong.
---@param failure oras.Failure
---@return boolean
function retry.should_retry(failure)
  if failure.response then
    return STATUSES[failure.response.status] == true
  end
  local err = failure.error
  if err.class == "integrity" then
    return failure.spoilt == 1
  end
  return err.retryable == true
end

-- Seconds that the server asks for: nil when it does not, false when it asks for too much.
local function asked_for(response, policy)
  local field = response and response.headers["Retry-After"]
  local seconds = field and core.headers.retry_after(field, core.clock.time())
  if not seconds then
    return nil
  end
  return seconds <= policy.max_retry_after and seconds
end

--- Seconds to wait before the next try, or nil when there is none.
---@param failure oras.Failure
---@param policy table numbers as in `retry.defaults`
---@param waited number seconds waited so far
---@return number?
function retry.delay(failure, policy, waited)
  if failure.attempt >= policy.tries then
    return nil
  end
  local seconds = asked_for(failure.response, policy)
  if seconds == false then
    return nil
  end
  if not seconds then
    local most = math.min(policy.max_wait, policy.wait * 2 ^ (failure.attempt - 1))
    seconds = most * math.random()
  end
  return waited + seconds <= policy.budget and seconds or nil
end

return retry
