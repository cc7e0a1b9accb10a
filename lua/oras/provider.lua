--- The base class under oras-py's name: oras.provider.Registry.
return { Registry = require "oras.registry" }
