--- Calls that are not made, each with what to do instead.
package.path = "tests/lint/lib/?.lua;" .. package.path
local lint = require "lint"

local OUTPUT = { "^src/cli/" }

-- name of a C function -> { instead, files that may }
local C_CALLS = {
  strcpy = { "oras_buf or memcpy with a size" },
  strcat = { "oras_buf_puts" },
  stpcpy = { "oras_buf or memcpy with a size" },
  sprintf = { "snprintf or oras_buf_printf" },
  vsprintf = { "vsnprintf or oras_buf_printf" },
  strtok = { "strcspn" },
  atoi = { "a parser that says what is wrong" },
  atol = { "a parser that says what is wrong" },
  gets = { "fgets" },
  tmpnam = { "a name of our own with O_EXCL" },
  mktemp = { "a name of our own with O_EXCL" },
  system = { "nothing: no shell is run" },
  popen = { "nothing: no shell is run" },
  rand = { "getrandom" },
  srand = { "getrandom" },
  strerror = { "oras_errno_text" },
  abort = { "an error" },
  setlocale = { "nothing: the process is the host's" },
  signal = { "nothing: signals are the host's", OUTPUT },
  chdir = { "nothing: the process is the host's; use descriptors" },
  fchdir = { "nothing: the process is the host's; use descriptors" },
  chroot = { "nothing: the process is the host's; use descriptors" },
  chmod = { "fchmod: a path may be somebody else's link" },
  fchmodat = { "fchmod: a name may be somebody else's link" },
  chown = { "nothing: owners are the system's matter" },
  lchown = { "nothing: owners are the system's matter" },
  fchownat = { "nothing: owners are the system's matter" },
  exit = { "an error", OUTPUT },
  malloc = { "oras_alloc", { "^src/base/alloc" } },
  calloc = { "oras_alloc_zero", { "^src/base/alloc" } },
  realloc = { "oras_realloc", { "^src/base/alloc" } },
  free = { "oras_dealloc", { "^src/base/alloc" } },
  strdup = { "oras_strdup" },
  strndup = { "oras_strndup" },
  printf = { "oras_log_write", OUTPUT },
  fprintf = { "oras_log_write", OUTPUT },
  puts = { "oras_log_write", OUTPUT },
  fputs = { "oras_log_write", OUTPUT },
  putchar = { "oras_log_write", OUTPUT },
  perror = { "oras_fail_errno", OUTPUT },
}

-- pattern, instead, files it is about, files that may
local C_WORDS = {
  { "%f[%w_]_cleanup_%f[^%w_]", "box first: an error of Lua jumps over it", "^src/bind/" },
  { "%f[%w_]goto%f[^%w_]", "scope cleanup and early return", "^src/[boin][aceio]", "^src/bind/" },
}

-- pattern, instead, files that may (with the reason)
local LUA_WORDS = {
  { "%f[%w_.:]x?pcall%f[^%w_]", "oras.try", {
    "^lua/oras/error%.lua$", -- oras.try itself
    "^lua/oras/task%.lua$", -- siblings of a failure are waited for, whatever they raise
    "^lua/oras/crew%.lua$", -- the same, of tasks inside of the library
    "^lua/oras/auth/once%.lua$", -- a fetch is forgotten also when it ended with a bug
    "^lua/oras/registry/tags%.lua$", -- whether a text is a pattern only string.find knows
    "^lua/oras/sandbox/child%.lua$", "^lua/oras/sandbox/environment%.lua$", -- the provider's end, its globals
    "^lua/oras/cli", -- the end of the program
  } },
  { "%f[%w_.:]print%s*[%(\"']", "oras.log", { "^lua/oras/cli", "^lua/oras/commands/" } },
  { "io%.write%f[^%w_]", "oras.log", { "^lua/oras/cli", "^lua/oras/commands/" } },
  { "io%.stdout%f[^%w_]", "oras.log", { "^lua/oras/cli", "^lua/oras/commands/" } },
  { "require%s*%(?%s*[\"']cjson", "oras.json", {} },
  { "os%.execute%f[^%w_]", "nothing: no shell is run", {} },
  { "io%.popen%f[^%w_]", "nothing: no shell is run", {} },
  { "os%.exit%f[^%w_]", "an error", { "^lua/oras/cli", "^lua/oras/commands/" } },
  { "%f[%w_.:]loadstring%f[^%w_]", 'load with mode "t"', {} },
}

local function fits(path, patterns)
  for _, pattern in ipairs(patterns or {}) do
    if path:find(pattern) then
      return true
    end
  end
  return false
end

local function c_problems(path, line)
  local found = {}

  for before, name in (" " .. line):gmatch "([^%w_])([%a_][%w_]*)%f[%s(]%s*%f[(]" do
    local rule = before ~= "." and before ~= ">" and C_CALLS[name]
    if rule and not fits(path, rule[2]) then
      found[#found + 1] = ("%s: use %s"):format(name, rule[1])
    end
  end
  for _, word in ipairs(C_WORDS) do
    if path:find(word[3]) and not (word[4] and path:find(word[4])) and line:find(word[1]) then
      found[#found + 1] = ("%s: %s"):format(line:match(word[1]), word[2])
    end
  end
  return found
end

local function lua_problems(path, line)
  local found = {}

  for _, word in ipairs(LUA_WORDS) do
    if line:find(word[1]) and not fits(path, word[3]) then
      found[#found + 1] = ("%s: use %s"):format(line:match(word[1]), word[2])
    end
  end
  for call in line:gmatch "%f[%w_.:]load%s*(%b())" do
    if not line:find "function load" and not call:find '"t"' then
      found[#found + 1] = 'load: give it the mode "t"'
    end
  end
  return found
end

local function check(path, text)
  local is_c = path:find "%.[ch]$"
  local find = is_c and c_problems or lua_problems
  local problems = {}

  for number, line in lint.each_line(is_c and lint.strip_c(text) or lint.strip_lua(text)) do
    for _, problem in ipairs(find(path, line)) do
      problems[#problems + 1] = ("%s:%d: %s"):format(path, number, problem)
    end
  end
  return problems
end

lint.self_test("banned", check, {
  ["src/io/x.c"] = { "strcpy(a, b);", "x = malloc(3);", "\tfree (p);", 'printf("x");', "goto out;", "atoi(s)" },
  ["src/net/x.c"] = { "goto out;", "strerror(errno)", "  exit(1);" },
  ["src/bind/x.c"] = { "_cleanup_(f) int x;", "sprintf(b, f)" },
  ["lua/oras/x.lua"] = {
    "pcall(f)", "local ok = xpcall(f, g)", 'print "x"', "io.write(1)", 'require "cjson"', "load(text)", "os.exit(1)",
  },
  ["providers/x.lua"] = { "print(1)" },
}, {
  ["src/io/x.c"] = "/* malloc(3) */ oras_buf_printf(b, \"free(x)\"); snprintf(a, 1, f); oras_free(x); // gets(",
  ["src/bind/x.c"] = "goto out; reader->free(x, 1)->y = oras_realloc(p, 1);",
  ["src/cli/main.c"] = 'fprintf(stderr, "x"); exit(1);',
  ["src/base/alloc.c"] = "malloc(1); free(p);",
  ["lua/oras/x.lua"] = 'self:print(x) -- pcall(f)\nlocal p = fingerprint(x) load(text, name, "t")',
  ["lua/oras/error.lua"] = "xpcall(f, g)",
})
lint.over("banned: C", lint.files("%.[ch]$", "src include"), check)
lint.over("banned: Lua", lint.files("%.lua$", "lua providers"), check)
lint.finish()
