--- oras-lua repo tags: as oras calls tags.
return require "oras.commands.tags"
