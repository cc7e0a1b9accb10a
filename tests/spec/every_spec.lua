--- oras.every: how often, when it ends, and that runs neither overlap nor drift.
local helper = require "tests.spec.helper"
local oras = require "oras"
local process = require "tests.spec.process"

local core = require "oras.core"

local SHORT <const> = 0.02

-- Runs it and gives the times of the runs, in intervals since the first.
local function run_times(n, work)
  local times = {}
  oras.every(SHORT, function(number)
    times[number] = core.clock.monotonic()
    work(number)
  end, { count = n })
  for i = n, 1, -1 do
    times[i] = (times[i] - times[1]) / SHORT
  end
  return times
end

describe("oras.every", function()
  it("calls a function with the run's number, count times", function()
    local numbers = {}
    assert.equal(3, oras.every(0.001, function(number)
      numbers[#numbers + 1] = number
    end, { count = 3 }))
    assert.same({ 1, 2, 3 }, numbers)
  end)

  it("ends when the function gives false, and for nothing else that it gives", function()
    local results = { nil, true, 0, false }
    assert.equal(4, oras.every(0.001, function(number)
      return results[number]
    end))
  end)

  it("does not drift: what a run takes is not added to the interval", function()
    local times = run_times(6, function()
      core.clock.sleep(SHORT / 2)
    end)
    for i = 2, 6 do
      assert.is_true(times[i] - math.floor(times[i] + 0.01) < 0.9, times[i])
      assert.is_true(times[i] >= i - 1 - 0.1, times[i]) -- never early: the timer is exact to a millisecond
    end
  end)

  it("leaves out the times that a long run has passed, and joins no second run to it", function()
    local running, most = 0, 0
    local times = run_times(3, function(number)
      running = running + 1
      most = math.max(most, running)
      if number == 1 then
        core.clock.sleep(SHORT * 2.5)
      end
      running = running - 1
    end)
    assert.equal(1, most)
    assert.is_true(times[2] >= 2.9, times[2])
    assert.is_true(times[3] - times[2] > 0, times[3])
  end)

  it("lets other tasks run while it waits, and ends with its task", function()
    local ticks, others = 0, 0
    local task = oras.spawn(oras.every, 0.001, function()
      ticks = ticks + 1
    end)
    oras.gather(function()
      while ticks < 3 do
        others = others + 1
        core.clock.sleep(0.001)
      end
      task:cancel()
      local ok, err = pcall(task.wait, task)
      assert.is_false(ok)
      assert.equal("cancelled", err.class)
      local before = ticks
      core.clock.sleep(0.01)
      assert.equal(before, ticks)
    end)
    assert.is_true(others > 0)
  end)

  it("can be cancelled from inside", function()
    local task
    local runs = 0
    task = oras.spawn(oras.every, 0.001, function()
      runs = runs + 1
      task:cancel()
    end)
    local ok, err = pcall(task.wait, task)
    assert.is_false(ok)
    assert.equal("cancelled", err.class)
    assert.equal(1, runs)
  end)

  it("ends with what a run raises, unless on_error takes it", function()
    local function fail(number)
      if number < 3 then
        error(setmetatable({ class = "network", message = "gone" }, oras.Error), 0)
      end
      return false
    end
    local value, err = oras.try(oras.every, 0.001, fail)
    assert.is_nil(value)
    assert.equal("network", err.class)

    local seen = {}
    assert.equal(3, oras.every(0.001, fail, {
      on_error = function(failure, number)
        seen[number] = failure.class
      end,
    }))
    assert.same({ "network", "network" }, seen)
    assert.equal(1, oras.every(0.001, fail, {
      on_error = function()
        return false
      end,
    }))
  end)

  it("never hides a mistake of the function behind on_error", function()
    local ok, err = pcall(oras.every, 0.001, function()
      error "a mistake"
    end, { on_error = print })
    assert.is_false(ok)
    assert.is_not_nil(tostring(err):find "a mistake")
  end)

  it("waits for cron's times, each of them once", function()
    -- the clock is put in place of the machine's, and waiting moves it
    local now, slept = 1774738799.5, core.clock.sleep
    local time = core.clock.time
    core.clock.time = function()
      return now
    end
    core.clock.sleep = function(seconds)
      now = now + seconds
    end
    local times = {}
    local ok, err = pcall(oras.every, "*/2 * * * *", function(number)
      times[number] = os.date("!%T", now // 1 | 0)
      now = now + ({ 0, -70, 0, 400, 0 })[number] -- the clock is put back; a run takes long
    end, { count = 5, utc = true })
    core.clock.time, core.clock.sleep = time, slept
    assert.is_true(ok, tostring(err))
    assert.same({ "23:00:00", "23:02:00", "23:04:00", "23:06:00", "23:14:00" }, times)
  end)

  it("refuses what makes no sense", function()
    local function refused(...)
      local value, err = oras.try(oras.every, ...)
      assert.is_nil(value)
      assert.equal("usage", err.class)
    end
    refused(0, print)
    refused(-1, print)
    refused(0 / 0, print)
    refused(math.huge, print)
    refused("@daily", print)
    refused({}, print)
    refused(1, nil)
    refused(1, print, { count = 0 })
    refused(1, print, { jitter = -1 })
    refused(1, print, { cout = 1 })
  end)

  it("takes a parsed time, and a jitter", function()
    local ok, err = pcall(oras.every, oras.cron.parse "* * * * *", nil)
    assert.is_false(ok)
    assert.equal("usage", err.class)
    assert.equal(2, oras.every(0.001, function() end, { count = 2, jitter = 0.002 }))
  end)
end)

describe("oras.every in a program", function()
  after_each(helper.clean)

  it("ends on an interrupt, while it waits and with on_error, with exit code 130", function()
    local script = helper.write(helper.directory() .. "/s.lua", [[
      local oras = require "oras"
      oras.every(tonumber(arg[1]) or arg[1], function(number)
        print(number)
        io.stdout:flush()
      end, { on_error = function() end })
    ]])
    assert.equal(130, (process.interrupt(script, "3600")))
    local cron = helper.write(helper.directory() .. "/c.lua", [[
      local oras = require "oras"
      print "waits"
      io.stdout:flush()
      oras.every("0 0 29 2 *", print)
    ]])
    assert.equal(130, (process.interrupt(cron)))
  end)
end)
