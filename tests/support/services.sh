#!/bin/sh
# SPDX-License-Identifier: MIT
# Registries, fault server and CDN for the tests; see services.py for the commands.
exec python3 -B "$(dirname "$0")/services.py" "$@"
