#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs the conformance suite of distribution-spec against a registry; TAP on standard output.
#
#   conformance.sh            the fault server with nothing scripted, every feature switched on
#   conformance.sh v3         distribution v3, for comparison (it has no referrers: some fail)
#   conformance.sh ggcr       go-containerregistry's registry, for comparison
#   conformance.sh HOST:PORT  any open registry that speaks plain http
#
# Run it under services.sh, which sets ORAS_TEST_FAULTS and the like.
set -u

skip() {
  echo "1..0 # SKIP $1"
  exit 0
}

find_suite() {
  for dir in "${ORAS_TEST_PEERS:-}" "${XDG_CACHE_HOME:-$HOME/.cache}/oras-lua/peers" \
    "${GOPATH:-$HOME/go}/bin"; do
    if [ -n "$dir" ] && [ -x "$dir/conformance" ]; then
      echo "$dir/conformance"
      return
    fi
  done
}

fault_server() {
  python3 -c 'import json, sys
print("127.0.0.1:%d" % json.load(open(sys.argv[1]))["listeners"]["http"]["port"])' \
    "$ORAS_TEST_FAULTS"
}

suite=$(find_suite)
[ -n "$suite" ] || skip "no 'conformance' (scripts/peers installs it)"
version=dev
case "${1:-faults}" in
faults)
  [ -n "${ORAS_TEST_FAULTS:-}" ] || skip "no fault server (run under tests/support/services.sh)"
  registry=$(fault_server) ;;
v3)
  [ -n "${ORAS_TEST_REGISTRY_V3:-}" ] || skip "no distribution v3 (scripts/peers installs it)"
  registry=$ORAS_TEST_REGISTRY_V3 version=1.1 ;;
ggcr)
  [ -n "${ORAS_TEST_REGISTRY_GGCR:-}" ] || skip "no 'ggcr' (scripts/peers builds it)"
  registry=$ORAS_TEST_REGISTRY_GGCR version=1.1 ;;
*)
  registry=$1 version=1.1 ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
OCI_REGISTRY=$registry OCI_TLS=disabled OCI_VERSION=$version OCI_LOG=error \
  OCI_RESULTS_DIR=$work/results OCI_DATA_SPARSE=false \
  OCI_REPO1=conformance/one OCI_REPO2=conformance/two \
  "$suite" >"$work/out" 2>"$work/err"

# The summary has a line for each group ("  Blob mount......:  Pass"); single failures are
# indented lines ("OCI Conformance Test/...: FAIL") above it and come out as comments.
awk '
  /^ *OCI Conformance Test\/.*: FAIL$/ { sub(/^ */, ""); failures[++failed] = $0 }
  /^(API|Data) conformance:$/ { section = $1; next }
  /^[^ ]/ { section = "" }
  section != "" && /\.*: +[A-Za-z]+$/ {
    name = $0; sub(/^ */, "", name); sub(/\.*: +[A-Za-z]+$/, "", name)
    line = section ": " name; count++
    if ($NF == "Pass") print "ok " count " - " line
    else if ($NF == "FAIL" || $NF == "Error") { print "not ok " count " - " line; bad = 1 }
    else print "ok " count " - " line " # SKIP " tolower($NF)
  }
  END {
    for (i = 1; i <= failed; i++) print "# " failures[i]
    print "1.." count + 0
    exit bad || count == 0
  }' "$work/out"
status=$?
[ $status -eq 0 ] || sed 's/^/# /' "$work/err" | head -20
exit $status
