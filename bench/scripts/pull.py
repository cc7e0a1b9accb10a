"""pull.py REFERENCE DIRECTORY: pull with oras-py."""

import sys

import oras.client

oras.client.OrasClient(insecure=True).pull(target=sys.argv[1], outdir=sys.argv[2])
