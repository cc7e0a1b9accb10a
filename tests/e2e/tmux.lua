--- A terminal that a test looks at: tmux with a server of its own, a shell in it.
local core = require "oras.core"

local process = require "tests.spec.process"

local tmux = {}

local Terminal = {}
Terminal.__index = Terminal

local PROMPT <const> = "ready>"
local SECONDS <const> = 20

local count = 0

--- Why there is no tmux here, or nil.
---@return string?
function tmux.missing()
  return process.shell "command -v tmux" ~= 0 and "tmux is not installed" or nil
end

local function call(self, ...)
  local words = {}
  for i, word in ipairs { ... } do
    words[i] = process.quote(word)
  end
  return process.sh(("tmux -L %s -f /dev/null -u %s"):format(self.name, table.concat(words, " ")))
end

--- A shell in a terminal of that size; closing it ends both.
---@param columns integer
---@param rows integer
---@param environment? table<string, string>
function tmux.start(columns, rows, environment)
  count = count + 1
  local self = setmetatable({
    name = ("oras-test-%s-%d"):format(core.digest.of(os.tmpname()):sub(8, 19), count), finished = 0,
  }, Terminal)
  local words = { "env" }
  for name, value in pairs(environment or {}) do
    words[#words + 1] = process.quote(name .. "=" .. value)
  end
  words[#words + 1] = ("PS1=%s ENV= sh -i"):format(process.quote(PROMPT))
  call(self, "new-session", "-d", "-x", columns, "-y", rows, table.concat(words, " "))
  call(self, "set-option", "-g", "status", "off")
  self:resize(columns, rows)
  self:wait(PROMPT)
  return self
end

--- What is on the screen, without the blanks at the ends of lines and the empty lines at its end.
---@return string
function Terminal:screen()
  return (call(self, "capture-pane", "-p"):gsub("[ \n]+$", ""):gsub(" +\n", "\n"))
end

--- The screen, once it has something that fits a pattern or a test.
---@param wanted string|fun(screen: string): any
---@return string
function Terminal:wait(wanted)
  local fits = type(wanted) == "function" and wanted or function(screen)
    return screen:find(wanted)
  end
  local until_when = core.clock.monotonic() + SECONDS
  repeat
    local screen = self:screen()
    if fits(screen) then
      return screen
    end
    core.clock.sleep(0.02)
  until core.clock.monotonic() > until_when
  error(("%s did not come; there is:\n%s"):format(tostring(wanted), self:screen()), 2)
end

--- Type text, and Enter.
function Terminal:line(text)
  call(self, "send-keys", "-l", "--", text)
  call(self, "send-keys", "Enter")
end

--- Press a key by tmux's name: "C-c".
function Terminal:press(key)
  call(self, "send-keys", key)
end

--- Have the shell run a command on an empty screen; its end is told by wait_end.
function Terminal:run(command)
  self:line "clear"
  self:wait(function(screen)
    return screen == PROMPT
  end)
  self:line(command .. "; echo \"exit[$?]\"")
end

--- The exit status of what runs, and the screen then.
---@return integer status
---@return string screen
function Terminal:wait_end()
  local screen = self:wait "exit%[%d+%]"
  return math.tointeger(tonumber(screen:match "exit%[(%d+)%]")), screen
end

function Terminal:resize(columns, rows)
  call(self, "resize-window", "-x", columns, "-y", rows)
end

function Terminal:__close()
  process.shell(("tmux -L %s kill-server"):format(self.name))
end

Terminal.close = Terminal.__close

return tmux
