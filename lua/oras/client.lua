--- The base class under oras-py's name: oras.client.OrasClient.
return { OrasClient = require "oras.registry" }
