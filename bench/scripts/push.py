"""push.py REFERENCE FILE...: push with oras-py."""

import sys

import oras.client

oras.client.OrasClient(insecure=True).push(target=sys.argv[1], files=sys.argv[2:])
