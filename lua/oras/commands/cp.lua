--- oras-lua cp: the short name of copy.
return require "oras.commands.copy"
