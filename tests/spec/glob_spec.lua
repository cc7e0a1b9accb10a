--- Globs of names, types and tags.
local glob = require "oras.glob"

describe("a glob", function()
  it("stands for what it says, * for anything, ? for one character", function()
    local cases = {
      { "a.txt", "a.txt", true }, { "a.txt", "axtxt", false }, { "a.txt", "a.txt.gz", false }, { "*", "", true },
      { "?", "", false }, { "*.txt", "dir/a.txt", true }, { "a*c*e", "abcde", true }, { "a*c*e", "abcdef", false },
      { "**x", "x", true }, { "v?.*", "v1.22", true }, { "v?.*", "v11.2", false }, { "", "", true }, { "", "a", false },
      { "application/*", "application/vnd.x+json", true }, { "[a]%d^$", "[a]%d^$", true }, { "a*", "ba", false },
      { "*ab*ab", "abab", true }, { "*ab*ab", "aab", false },
    }
    for _, case in ipairs(cases) do
      assert.equal(case[3], glob.match(case[2], case[1]), case[1] .. " " .. case[2])
    end
    assert.is_true(glob.is_glob "a*")
    assert.is_false(glob.is_glob "a[b]")
  end)

  it("does not try a long name for ever", function()
    assert.is_false(glob.match(("a"):rep(20000), ("*a"):rep(20) .. "b"))
  end)
end)
