--- The progress on a terminal: what is drawn, line by line.
local meter = require "oras.cli.meter"
local progress = require "oras.cli.progress"
local screen = require "oras.cli.screen"
local width = require "oras.cli.width"

local MIB <const> = 1024 * 1024

-- A terminal that keeps what is written to it, of a size and a time that the test sets.
local function terminal(columns, rows)
  local self = { columns = columns, rows = rows, time = 0, written = {} }
  self.stream = {
    write = function(_, ...)
      table.insert(self.written, table.concat { ... })
    end,
    flush = function() end,
  }
  self.opts = {
    now = function()
      return self.time
    end,
    size = function()
      return self.columns, self.rows
    end,
  }
  return self
end

-- The lines of the last drawing, without what moves the cursor.
local function lines_of(self)
  local lines = {}
  for line in (self.written[#self.written] or ""):gmatch "([^\r\n]*)\27%[K\r\n" do
    lines[#lines + 1] = line:gsub("\27%[[%d?]*%a", "")
  end
  return lines
end

local function event_of(fields)
  local event = { phase = "download", done = 0, total = 10 * MIB, blobs = { done = 0, total = 1 }, operation = 1 }
  for key, value in pairs(fields) do
    event[key] = value
  end
  return event
end

describe("the progress on a terminal", function()
  local tty, display

  local function start(columns, rows)
    tty = terminal(columns or 80, rows or 24)
    display = progress.new(tty.stream, tty.opts)
    display.able = true -- whatever TERM says here
    display.screen.reflows = true
  end

  local function show(seconds, fields)
    tty.time = tty.time + seconds
    display:show(event_of(fields))
  end

  before_each(function()
    start()
  end)

  after_each(function()
    display:close()
  end)

  it("has a line for each blob on its way and one for all: bytes, share, rate, time left", function()
    show(0, { title = "a.bin" })
    show(1, { title = "a.bin", done = 1 * MIB })
    show(1, { title = "a.bin", done = 2 * MIB, blobs = { done = 0, total = 2, size = 20 * MIB } })
    assert.same({
      "a.bin" .. (" "):rep(15) .. "    2.0 MiB / 10.0 MiB   20%     1.0 MiB/s      8s",
      "0 of 2 blobs  2.0 MiB / 20.0 MiB   10%  1.0 MiB/s  18s left",
    }, { lines_of(tty)[1]:gsub("  +", function(blanks)
      return #blanks > 20 and (" "):rep(15) .. "    " or blanks
    end), lines_of(tty)[2] })
  end)

  it("is redrawn ten times a second at most", function()
    for i = 1, 1000 do
      show(0.01, { title = "a.bin", done = i * 1024 })
    end
    assert.is_true(#tty.written <= 100 and #tty.written >= 90, #tty.written)
  end)

  it("shows nothing of work that is over at once", function()
    show(0.01, { title = "a.bin", done = 10 * MIB, over = true })
    display:close()
    assert.same({}, tty.written)
  end)

  it("drops the line of a blob when it is over, and not before", function()
    show(0.2, { title = "a.bin", done = 10 * MIB })
    assert.equal(2, #lines_of(tty))
    show(0.2, { title = "a.bin", done = 10 * MIB, over = true, blobs = { done = 1, total = 2 } })
    assert.same({ "1 of 2 blobs  10.0 MiB  25.0 MiB/s" }, lines_of(tty))
  end)

  it("says what is hashed, packed and unpacked, and counts a file's bytes once", function()
    show(0.2, { phase = "hash", title = "a.bin", done = 5 * MIB, blobs = false })
    assert.matches("^hash a%.bin ", lines_of(tty)[1])
    show(0.2, { phase = "hash", title = "a.bin", done = 10 * MIB, blobs = false })
    show(0.2, { phase = "upload", title = "a.bin", digest = "sha256:0", done = 3 * MIB })
    assert.matches("^0 of 1 blobs  3%.0 MiB  ", lines_of(tty)[2])
  end)

  it("has no lines of manifests, and one of a large blob that belongs to nothing", function()
    show(0.2, { digest = "sha256:" .. ("a"):rep(64), total = 4000, blobs = false })
    assert.same({}, tty.written)
    show(0.2, { digest = "sha256:" .. ("b"):rep(64), blobs = false })
    assert.matches("^sha256:bbbbbbbbbbbb  ", lines_of(tty)[1])
  end)

  it("does not know a rate of what has not moved, nor the time left of what stands still", function()
    show(0.2, { title = "a.bin", done = 4 * MIB })
    assert.is_nil(lines_of(tty)[1]:find "/s")
    show(5, { title = "a.bin", done = 4 * MIB })
    assert.matches("0 B/s%s*$", lines_of(tty)[1])
  end)

  it("does not take bytes that were there for the rate", function()
    show(0.2, { title = "a.bin", done = 1 })
    show(1, { title = "b.bin", total = 900 * MIB, done = 900 * MIB, over = true })
    show(1, { title = "a.bin", done = 1 * MIB })
    assert.matches("0%.5 MiB/s", (lines_of(tty)[2]:gsub("%d+%.%d KiB/s", "0.5 MiB/s")))
  end)

  for _, columns in ipairs { 1, 12, 20, 33, 50, 80, 200 } do
    it(("fits %d columns"):format(columns), function()
      start(columns)
      for i = 0, 20 do
        local blobs = { done = 3, total = 12, size = 1 << 40 }
        show(0.2, { title = "ein langer name.tar.gz", done = i * 100000, blobs = blobs })
        for _, line in ipairs(lines_of(tty)) do
          assert.is_true(width.of(line) <= math.max(columns - 1, 10), line)
        end
      end
      if columns >= 12 then
        assert.matches("^ein", lines_of(tty)[1])
      end
      if columns >= 20 then
        assert.matches("%d%%", lines_of(tty)[1])
      end
    end)
  end

  it("never has more lines than the screen, and says how many there are beside", function()
    start(80, 6)
    for i = 1, 50 do
      show(0.2, { title = "file" .. i, done = 1, blobs = { done = 0, total = 50 } })
    end
    local lines = lines_of(tty)
    assert.equal(5, #lines)
    assert.matches("^0 of 50 blobs  46 more on the way", lines[5])
    start(80, 1)
    show(0.2, { title = "a", done = 1 })
    assert.equal(1, #lines_of(tty))
  end)

  it("goes back over as many rows as a narrower terminal made of the lines", function()
    show(0.2, { title = "a.bin", done = 1 })
    show(0.2, { title = "a.bin", done = 2 })
    assert.matches("^\r\27%[2A", tty.written[#tty.written])
    tty.columns = 30
    show(0.2, { title = "a.bin", done = 3 })
    local rows = tonumber(tty.written[#tty.written]:match "^\r\27%[(%d+)A")
    assert.is_true(rows > 2 and rows < 24)
    display.screen.reflows = false -- a terminal that cuts them off
    tty.columns = 20
    show(0.2, { title = "a.bin", done = 4 })
    assert.matches("^\r\27%[2A", tty.written[#tty.written])
  end)

  it("goes back no further than the screen reaches", function()
    start(80, 8)
    for i = 1, 20 do
      show(0.2, { title = "file" .. i, done = 1 })
    end
    tty.columns = 10
    show(0.2, { title = "file1", done = 2 })
    assert.matches("^\r\27%[7A", tty.written[#tty.written])
  end)

  it("shows names as one safe line", function()
    show(0.2, { title = "a\27[2J\r\nb\u{202E}c", done = 1 })
    assert.matches("^a\\x1b%[2J b%?c ", lines_of(tty)[1])
  end)

  it("has no colours, and leaves nothing behind", function()
    show(0.2, { title = "a.bin", done = 1 })
    display:close()
    local all = table.concat(tty.written)
    assert.is_nil(all:find "\27%[[%d;]*m")
    local row = "\27%[2K\27%[B"
    assert.matches("\r\27%[2A" .. row .. row .. "\r\27%[2A$", all)
    display:show(event_of { title = "late", done = 1 })
    assert.equal(all, table.concat(tty.written))
  end)

  it("makes room for a warning", function()
    show(0.2, { title = "a.bin", done = 1 })
    require("oras.log").error "a line of the spec about warnings" -- the next drawing begins below it
    local level = require("oras.core").log.level()
    assert.matches(level and "\27%[2K\27%[B\r\27%[2A$" or "\27%[%?7h$", table.concat(tty.written))
  end)

  it("counts operations together", function()
    show(0.2, { title = "a", done = 1, blobs = { done = 1, total = 2 }, operation = 1 })
    show(0.2, { title = "b", done = 1, blobs = { done = 0, total = 5 }, operation = 2 })
    assert.matches("^1 of 7 blobs", lines_of(tty)[3])
  end)
end)

describe("the width of text", function()
  it("is that of a terminal", function()
    for text, columns in pairs {
      [""] = 0, ["abc"] = 3, ["grün"] = 4, ["e\u{301}"] = 1, ["日本"] = 4, ["한"] = 2, ["🚀"] = 2, ["\xff\xfe"] = 2,
    } do
      assert.equal(columns, width.of(text), text)
    end
  end)

  it("cuts between characters", function()
    assert.equal("日..", width.cut("日本語", 5))
    assert.equal("日..", width.cut("日本語", 4))
    assert.equal("..", width.cut("日本語", 3))
    assert.equal("日", width.cut("日本語", 2))
    assert.equal("", width.cut("日本語", 1))
    assert.equal("日本語", width.cut("日本語", 6))
    assert.equal("日..  ", width.fit("日本語", 5) .. " ")
    assert.equal("ab   ", width.fit("ab", 5))
    assert.equal("\xff\xfe", width.cut("\xff\xfe\xfd", 2))
  end)
end)

describe("sizes and times for people", function()
  it("have a unit", function()
    assert.equal("0 B", meter.size(0))
    assert.equal("1023 B", meter.size(1023))
    assert.equal("1.5 MiB", meter.size(1.5 * MIB))
    assert.equal("2048.0 TiB", meter.size(2 << 50))
    assert.equal("1s", meter.time(0.2))
    assert.equal("3m05s", meter.time(184.4))
    assert.equal("2h10m", meter.time(2 * 3600 + 600))
    assert.equal(">99h", meter.time(1e9))
  end)
end)

describe("a terminal that cannot", function()
  it("is one that says so", function()
    local kind = os.getenv "TERM"
    assert.equal(kind ~= nil and kind ~= "" and kind ~= "dumb", screen.is_able())
  end)
end)
