--- oras.every: call a function again and again, at intervals or at cron's times.
local core = require "oras.core"
local errors = require "oras.error"
local options = require "oras.options"

local OPTIONS <const> = { count = "integer", jitter = "number", on_error = "function", utc = "boolean" }

-- The wall clock may be set while we wait, and a machine may sleep: it is looked at again after
-- so many seconds at most.
local LONGEST <const> = 30

local function check(when, fn, opts)
  opts = options.check(opts, OPTIONS, "every")
  if type(fn) ~= "function" then
    errors.usage("every: the second argument is a function, not a %s", type(fn))
  elseif opts.count and opts.count < 1 then
    errors.usage("every: count is at least 1, not %d", opts.count)
  elseif opts.jitter and not (opts.jitter >= 0 and opts.jitter < math.huge) then
    errors.usage("every: jitter is a number of seconds, not %g", opts.jitter)
  elseif type(when) == "number" and not (when > 0 and when < math.huge) then
    errors.usage("every: the interval is more than 0 seconds, not %g", when)
  end
  return opts
end

local function wait_until(clock, time)
  local left = time - clock()
  while left > 0 do
    core.clock.sleep(math.min(left, LONGEST))
    left = time - clock()
  end
end

-- Times are multiples of the interval after the first run, which is at once: what a run takes
-- does not add up. Those that a long run has passed are left out.
local function by_interval(seconds)
  local clock = core.clock.monotonic
  local start, n = clock(), nil
  return clock, function()
    n = n and math.max(n + 1, math.ceil((clock() - start) / seconds)) or 0
    return start + n * seconds
  end
end

-- Each time once, also when the clock is put back behind one that was.
local function by_cron(time)
  local clock, last = core.clock.time, 0
  return clock, function()
    last = time:next(math.max(clock(), last))
    return last
  end
end

local function schedule(when, opts)
  local cron = require "oras.cron"
  if type(when) == "number" then
    return by_interval(when)
  end
  return by_cron(cron.is_cron(when) and when or cron.parse(when, { utc = opts.utc }))
end

-- One run; false when it is the last. A task that is cancelled, an interrupt and what is no
-- oras.Error (a mistake in fn) always end everything.
local function run(fn, number, on_error)
  if not on_error then
    return fn(number) ~= false
  end
  local result
  local good, err = errors.try(function()
    result = fn(number)
    return true
  end)
  if good then
    return result ~= false
  elseif err.class == "cancelled" then
    error(err, 0)
  end
  return on_error(err, number) ~= false
end

--- Call a function at intervals, at once for the first time, or at cron's times (oras.cron). It
--- returns when the function gives false, or after `count` runs; run it by oras.spawn to do
--- something else meanwhile, and cancel that task.
---
--- A run that takes longer than the interval is not joined by a second one: the times that it
--- has passed are left out, and the next one is where it would have been anyway.
---@param when number|string|oras.Cron seconds, or "minute hour day month weekday"
---@param fn fun(number: integer): boolean? gets the run's number, 1 at first
---@param opts? { count?: integer, jitter?: number, utc?: boolean, on_error?: function }
--- `jitter`: each run is up to so many seconds later, by chance; `utc`: of a cron text;
--- `on_error(err, number)`: called with what a run raised, which else ends all; false ends all then
---@return integer runs
---@raise any
return function(when, fn, opts)
  opts = check(when, fn, opts)
  local clock, next_time = schedule(when, opts)
  local number = 0
  repeat
    wait_until(clock, next_time() + math.random() * (opts.jitter or 0))
    number = number + 1
  until not run(fn, number, opts.on_error) or number == opts.count
  return number
end
