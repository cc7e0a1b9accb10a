--- Cron's times: what a text means, what is refused, and days on which clocks are changed.
local oras = require "oras"
local process = require "tests.spec.process"

local cron = oras.cron

-- 2026-03-28 23:00 UTC, a Saturday
local SATURDAY <const> = 1774738800

local function times(text, from, n)
  local time, list = cron.parse(text, { utc = true }), {}
  for i = 1, n or 1 do
    from = time:next(from)
    list[i] = os.date("!%a %F %R", from)
  end
  return table.concat(list, ", ")
end

local function refused(text)
  local value, err = oras.try(cron.parse, text)
  assert.is_nil(value, tostring(text))
  assert.equal("usage", err.class)
  return err.message
end

describe("a cron text", function()
  it("has values, lists, ranges and steps", function()
    assert.equal("Sat 2026-03-28 23:01", times("* * * * *", SATURDAY))
    assert.equal("Sat 2026-03-28 23:15, Sat 2026-03-28 23:30, Sat 2026-03-28 23:45, Sun 2026-03-29 00:00",
      times("*/15 * * * *", SATURDAY, 4))
    assert.equal("Sun 2026-03-29 08:05, Sun 2026-03-29 08:50, Sun 2026-03-29 10:05, Sun 2026-03-29 10:50",
      times("5,50 8-11/2 * * *", SATURDAY, 4))
    assert.equal("Wed 2026-04-01 06:07", times("07 06 01 04 *", SATURDAY))
  end)

  it("has names for months and days, in any case", function()
    assert.equal("Mon 2026-06-01 00:00, Tue 2026-06-02 00:00", times("0 0 * Jun-AUG mon-FRI", SATURDAY, 2))
    assert.equal("Fri 2026-04-03 00:00, Sat 2026-04-04 00:00, Sun 2026-04-05 00:00, Fri 2026-04-10 00:00",
      times("0 0 * * fri-sun", SATURDAY + 2 * 86400, 4))
    assert.equal(times("0 0 * * 0", SATURDAY, 3), times("0 0 * * 7", SATURDAY, 3))
    assert.equal("Sun 2026-03-29 00:00", times("0 0 * * sun", SATURDAY))
  end)

  it("takes either of the two fields for days when both are said, else both", function()
    assert.equal("Wed 2026-04-01 00:00, Fri 2026-04-03 00:00, Fri 2026-04-10 00:00, Wed 2026-04-15 00:00",
      times("0 0 1,15 * fri", SATURDAY, 4))
    assert.equal("Sun 2026-05-31 00:00", times("0 0 31 * */7", SATURDAY))
  end)

  it("finds days that are far away", function()
    assert.equal("Tue 2028-02-29 00:00, Sun 2032-02-29 00:00", times("0 0 29 2 *", SATURDAY, 2))
    assert.equal("Wed 2096-02-29 12:30, Fri 2104-02-29 12:30", times("30 12 29 2 *", 3981312000 - 8640000, 2))
  end)

  it("is later than the time that it is asked for, which may have a fraction", function()
    assert.equal("Sat 2026-03-28 23:01", times("1 * * * *", SATURDAY + 59.9))
    assert.equal("Sun 2026-03-29 00:01", times("1 * * * *", SATURDAY + 60))
    local now = os.time()
    assert.is_true(cron.next("* * * * *") > now)
    assert.equal("integer", math.type(cron.next("* * * * *")))
  end)

  it("is refused when it is not exactly that", function()
    assert.equal('cron: "* * * *" has 4 fields, expected five: minute hour day month weekday', refused "* * * *")
    assert.equal('cron: "0 0 30 2 *" never comes', refused "0 0 30 2 *")
    assert.equal('cron: "60 * * * *": the minute "60" is not in 0-59', refused "60 * * * *")
    assert.equal('cron: "0 5-3 * * *": the hour "5-3" runs backwards', refused "0 5-3 * * *")
    assert.equal('cron: "0 0 * foo *": the month "foo" is no number and no name of three letters',
      refused "0 0 * foo *")
    for _, text in ipairs {
      "", "*", "@daily", "* * * * * *", "a * * * *", "-1 * * * *", "1- * * * *", "-5 * * * *", "1,,2 * * * *",
      "1, * * * *", ",1 * * * *", "*/0 * * * *", "*/ * * * *", "*/60 * * * *", "5/10 * * * *", "1-2-3 * * * *",
      "1-5/ * * * *", "*5 * * * *", "** * * * *", "0 24 * * *", "0 0 0 * *", "0 0 32 * *", "0 0 * 0 *", "0 0 * 13 *",
      "0 0 * * 8", "0 0 * * sunday", "0 0 * mon *", "0 0 L * *", "0 0 ? * *", "1.5 * * * *", "0x1 * * * *",
      "001 * * * *", "*/1/2 * * * *", "0 0 31 2,4,6 *", "0 0 * * 1#2", "٣ * * * *", "+1 * * * *",
    } do
      refused(text)
    end
    refused(5)
    refused(nil)
  end)
end)

-- Next times in a zone, in a process of its own: TZ is read once.
local function in_zone(zone, text, from, n)
  local script = [[
    local time, from = require "oras".cron.parse(arg[1]), math.tointeger(arg[2])
    local list = {}
    for i = 1, arg[3] do
      from = time:next(from)
      list[i] = os.date("%d %R %z", from)
    end
    print(table.concat(list, ", "))
  ]]
  local out = process.sh("TZ=%s %s -e %s /dev/null %s %s %s", zone, process.oras_lua, script, text, tostring(from),
    tostring(n))
  return (out:gsub("\n$", ""))
end

describe("a cron text on days when clocks are changed", function()
  local BERLIN <const> = "CET-1CEST,M3.5.0,M10.5.0/3" -- forward on March 29, 2:00; back on October 25, 3:00
  local OCTOBER <const> = 1792875600 -- 2026-10-24 23:00 +0200

  it("runs once what falls into the hour that is left out, right behind it", function()
    assert.equal("29 03:00 +0200, 30 02:30 +0200", in_zone(BERLIN, "30 2 * * *", SATURDAY, 2))
    assert.equal("29 03:00 +0200, 30 02:00 +0200, 30 03:00 +0200", in_zone(BERLIN, "0 2,3 * * *", SATURDAY, 3))
  end)

  it("runs once, the first time, what falls into the hour that is there twice", function()
    assert.equal("25 02:30 +0200, 26 02:30 +0100", in_zone(BERLIN, "30 2 * * *", OCTOBER, 2))
    assert.equal("25 01:15 +0200, 25 02:15 +0200, 25 03:15 +0100", in_zone(BERLIN, "15 1-3 * * *", OCTOBER, 3))
  end)

  it("goes by time that passes when the hours are not named", function()
    assert.equal("29 01:30 +0100, 29 03:00 +0200, 29 03:30 +0200",
      in_zone(BERLIN, "*/30 * * * *", SATURDAY + 2 * 3600 - 3600, 3))
    assert.equal("25 02:00 +0200, 25 02:30 +0200, 25 02:00 +0100, 25 02:30 +0100, 25 03:00 +0100",
      in_zone(BERLIN, "*/30 * * * *", OCTOBER + 3 * 3600 - 1, 5))
  end)

  it("has the first minute of a day that does not begin at midnight", function()
    local zone = "EET-1EEST,M3.5.0/0,M10.5.0/0" -- forward at midnight
    assert.equal("29 01:00 +0200, 30 00:00 +0200", in_zone(zone, "0 0 * * *", SATURDAY - 3600, 2))
  end)

  it("does not stop at a day that a zone never had", function()
    -- Samoa went from December 29 to 31 in 2011, from 10 hours behind to 14 before
    assert.equal("29 12:00 -1000, 31 12:00 +1400, 01 12:00 +1400", in_zone("Pacific/Apia", "0 12 * * *", 1325145600, 3))
  end)
end)
