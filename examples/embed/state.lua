-- Run by the example state.c: main is called as a task with the words of the command line.
-- luacheck: globals main
local oras = require "oras"

function main(reference)
  return table.concat(oras.Registry:new():get_tags(reference), " ")
end
