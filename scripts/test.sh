#!/usr/bin/env bash
# Runs go vet and the tests against real servers: those that WHERRY_TEST_SERVERS
# lists, or else private ones (scripts/servers.sh), which are installed and
# started as needed. Arguments go to go test:
#
#	scripts/test.sh -run TestMove ./test/...
#
# Servers that this run has started are stopped at its end, unless
# KEEP_SERVERS=1. A server that is missing is a failure here, not a skip.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export WHERRY_REQUIRE_SERVERS=1

log=$(mktemp)
running() { scripts/servers.sh status | awk '$NF == "running" { print $1 }' | sort; }
# shellcheck disable=SC2317 # called by the trap
tidy() {
	rm -f "$log"
	[[ -n ${before+set} && -z ${KEEP_SERVERS:-} ]] || return 0
	local ours
	mapfile -t ours < <(comm -13 <(echo "$before") <(running))
	((${#ours[@]} == 0)) || scripts/servers.sh down "${ours[@]}"
}
trap tidy EXIT

if [[ -z ${WHERRY_TEST_SERVERS:-} ]]; then
	scripts/servers.sh install
	before=$(running)
	# The tests kill servers but do not cut the power.
	WHERRY_SERVERS_FAST=${WHERRY_SERVERS_FAST-1} scripts/servers.sh up mysql:2 mariadb:2
	eval "$(scripts/servers.sh env)"
fi

(($# > 0)) || set -- ./...
go vet ./...

# One package at a time: they share the servers. Never from the cache: it does
# not know what the servers hold.
begin=$SECONDS rc=0
go test -p 1 -count=1 -timeout 15m "$@" 2>&1 | tee "$log" || rc=${PIPESTATUS[0]}

echo
if ((rc == 0)); then
	echo "passed: $(grep -c '^ok' "$log" || true) packages in $((SECONDS - begin)) s"
else
	grep -E '^ *--- FAIL|^FAIL.+|^panic:' "$log" || true
	echo "failed after $((SECONDS - begin)) s"
fi
exit "$rc"
