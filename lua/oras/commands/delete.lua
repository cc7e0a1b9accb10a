--- oras-lua delete: the short name of manifest delete.
return require "oras.commands.manifest.delete"
