#!/bin/sh
# SPDX-License-Identifier: MIT
# specs.sh PROGRAM SPEC...: the specs run by oras-lua under valgrind, which looks for wrong
# accesses, lost memory and descriptors that stay open. With a fault server of its own.
set -eu
cd "$(dirname "$0")/../.."
program=$1
shift
if ! command -v valgrind >/dev/null; then
  echo "1..0 # skipped there is no valgrind"
  exit 0
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export LUA_PATH="$PWD/?.lua;$PWD/?/init.lua;;" ORAS_TEST_LUA="$program"
status=0
tests/support/services.sh run --only faults valgrind -q --leak-check=full \
  --errors-for-leak-kinds=definite --track-fds=yes --error-exitcode=9 --log-file="$log" \
  "$program" /usr/bin/busted -o TAP "$@" || status=$?

# what is open besides what the parent gave
opened=$(grep -A1 "Open .*file descriptor\|Open .*socket" "$log" | grep -v "^--$" | paste - - |
  grep -v "inherited from parent" || true)
if [ "$status" -eq 9 ] || [ -n "$opened" ]; then
  echo "not ok valgrind"
  sed 's/^/# /' "$log"
  exit 1
fi
echo "ok valgrind"
exit "$status"
