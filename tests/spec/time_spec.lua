--- oras.time: times of RFC 3339 as seconds.
local oras = require "oras"

describe("a time", function()
  it("is seconds since 1970, whatever its zone", function()
    local cases = {
      ["1970-01-01T00:00:00Z"] = 0, ["1970-01-01T01:00:00+01:00"] = 0, ["1969-12-31T23:30:00-00:30"] = 0,
      ["2001-09-09T01:46:40Z"] = 1000000000, ["2024-02-29t12:00:00.25z"] = 1709208000.25,
      ["2000-03-01T00:00:00Z"] = 951868800, ["2000-02-29T23:59:59Z"] = 951868799,
      ["9999-12-31T23:59:59Z"] = 253402300799, ["2016-12-31T23:59:60Z"] = 1483228800,
    }
    for text, expected in pairs(cases) do
      assert.equal(expected, oras.time.seconds(text), text)
    end
  end)

  it("agrees with the system's calendar", function()
    for day = -20000, 40000, 37 do
      local seconds = day * 86400 + 3661
      assert.equal(seconds, oras.time.seconds(os.date("!%Y-%m-%dT%H:%M:%SZ", seconds)))
    end
  end)

  it("is nothing when it is none", function()
    for _, text in ipairs {
      "", "2024-01-01", "2024-01-01T00:00:00", "2024-13-01T00:00:00Z", "2024-00-01T00:00:00Z", "2024-01-32T00:00:00Z",
      "2023-04-31T00:00:00Z", "2024-01-00T00:00:00Z", "2024-01-01T24:00:00Z", "2024-01-01T00:60:00Z",
      "2023-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2024-01-01T00:00:61Z",
      "2024-01-01 00:00:00Z", "2024-01-01T00:00:00+1:00", "2024-01-01T00:00:00 Z",
      "x2024-01-01T00:00:00Z", 5, true, {},
    } do
      assert.is_nil(oras.time.seconds(text))
    end
    assert.is_nil(oras.time.seconds(nil))
  end)
end)
