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

return process
