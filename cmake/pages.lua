-- Write what stands beside the program: manual pages and completions. `oras-lua pages.lua DIR`, where
-- DIR has the directories man, bash, zsh and fish.
local directory = ...

local function write(path, text)
  local file = assert(io.open(("%s/%s"):format(directory, path), "wb"))
  assert(file:write(text))
  assert(file:close())
end

for name, text in pairs(require("oras.cli.man").pages()) do
  write("man/" .. name, text)
end
for shell, path in pairs { bash = "bash/oras-lua", fish = "fish/oras-lua.fish", zsh = "zsh/_oras-lua" } do
  write(path, require("oras.cli.completion." .. shell).script())
end
