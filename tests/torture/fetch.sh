#!/bin/sh
# SPDX-License-Identifier: MIT
# fetch.sh TORTURE [OPTION...]: push the example layout to the test registry, then have torture
# fetch it with memory that runs out.
set -eu
cd "$(dirname "$0")/../.."
if [ -z "${ORAS_TEST_REGISTRY:-}" ]; then
  echo "1..0 # skipped there is no registry"
  exit 0
fi
PYTHONPATH=tests/support python3 -B -c '
import os
import layoutpush
registry = layoutpush.Registry("http", os.environ["ORAS_TEST_REGISTRY"])
layoutpush.push_layout(registry, "examples/layout", "torture/app")
'
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# libcurl has other names, too, for what it could not do for want of memory
"$@" --allow protocol --allow network run tests/torture/fetch.lua "$ORAS_TEST_REGISTRY/torture/app:1.0.0-0" "$folder"
