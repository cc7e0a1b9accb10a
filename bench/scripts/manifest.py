"""manifest.py REFERENCE http|https: print one manifest with oras-py."""

import json
import sys

import oras.provider

registry = oras.provider.Registry(insecure=sys.argv[2] == "http")
print(json.dumps(registry.get_manifest(registry.get_container(sys.argv[1]))))
