--- oras-lua repo ls: as oras calls repos.
return require "oras.commands.repos"
