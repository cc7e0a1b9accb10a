--- Programs run by specs: exit code, standard output and standard error.
local process = {}

--- The oras-lua under test.
process.oras_lua = os.getenv "ORAS_TEST_LUA" or arg[-1]

local function quote(text)
  return "'" .. tostring(text):gsub("'", "'\\''") .. "'"
end

process.quote = quote

local function slurp(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "a"
  file:close()
  os.remove(path)
  return text
end

--- Run a shell command; gives exit code, output, errors.
---@param command string
---@return integer status
---@return string out
---@return string err
function process.shell(command)
  local out, err = os.tmpname(), os.tmpname()
  local _, how, status = os.execute(("{ %s\n} >%s 2>%s"):format(command, out, err))
  assert(how == "exit", "the shell was killed")
  return status, slurp(out), slurp(err)
end

--- Run a shell command that succeeds, with quoted words in place of each %s; gives its output.
---@param command string
---@param ... string
---@return string out
function process.sh(command, ...)
  local words = {}
  for i, word in ipairs { ... } do
    words[i] = quote(word)
  end
  local status, out, err = process.shell(command:format(table.unpack(words)))
  assert(status == 0, command .. ": " .. err)
  return out
end

--- Run oras-lua with these arguments, standard input empty.
---@param ... string
---@return integer status
---@return string out
---@return string err
function process.run(...)
  local words = { quote(process.oras_lua) }
  for _, word in ipairs { ... } do
    words[#words + 1] = quote(word)
  end
  return process.shell(table.concat(words, " ") .. " </dev/null")
end

local INTERRUPT <const> = [[
import signal, subprocess, sys
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
    preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
child.stdout.readline()
child.send_signal(signal.SIGINT)
try:
    sys.exit(child.wait(timeout=30))
except subprocess.TimeoutExpired:
    child.kill()
    sys.exit(99)
]]

--- Run oras-lua with a script that prints a line when SIGINT may come; 99 when it goes on.
---@return integer status
---@return string err
function process.interrupt(...)
  local words = { "python3 -c", quote(INTERRUPT), quote(process.oras_lua) }
  for _, word in ipairs { ... } do
    words[#words + 1] = quote(word)
  end
  local status, _, err = process.shell(table.concat(words, " "))
  return status, err
end

local INTERRUPT_WHEN <const> = [[
import signal, subprocess, sys, urllib.request
number = int(sys.argv[2])
def default():
    for one in signal.SIGINT, signal.SIGTERM:
        signal.signal(one, signal.SIG_DFL)
child = subprocess.Popen(sys.argv[3:], stdin=subprocess.DEVNULL, preexec_fn=default)
urllib.request.urlopen(sys.argv[1]).read()
child.send_signal(number)
try:
    status = child.wait(timeout=30)
    sys.exit(status if status >= 0 else 200 - status)
except subprocess.TimeoutExpired:
    child.kill()
    sys.exit(99)
]]

--- Run oras-lua and send it a signal once a URL has answered (the fault server's /wait); 99 when
--- it goes on, 200 and the signal's number when that killed it.
---@param url string
---@param number integer of the signal
---@return integer status
---@return string out
---@return string err
function process.interrupt_when(url, number, ...)
  local words = { "python3 -c", quote(INTERRUPT_WHEN), quote(url), number, quote(process.oras_lua) }
  for _, word in ipairs { ... } do
    words[#words + 1] = quote(word)
  end
  return process.shell(table.concat(words, " "))
end

return process
