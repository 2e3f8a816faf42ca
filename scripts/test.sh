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

log=$(mktemp) base=${WHERRY_SERVERS_DIR:-$PWD/.servers}
running() { scripts/servers.sh status | awk '$NF == "running" { print $1 }' | sort; }
# shellcheck disable=SC2317 # called by the trap
tidy() {
	rm -f "$log" "$log".lane*
	local lane
	for lane in "${!lanes[@]}"; do { kill -- "-${lanes[$lane]}" 2>/dev/null && wait "${lanes[$lane]}"; } || true; done
	[[ -z ${KEEP_SERVERS:-} ]] || return 0
	for lane in "$base"/lane*/; do [[ ! -d $lane ]] || WHERRY_SERVERS_DIR=${lane%/} scripts/servers.sh down --purge; done
	[[ -n ${before+set} ]] || return 0
	local ours
	mapfile -t ours < <(comm -13 <(echo "$before") <(running))
	((${#ours[@]} == 0)) || scripts/servers.sh down "${ours[@]}"
}
declare -A lanes=()
trap tidy EXIT

# The tests kill servers but do not cut the power.
export WHERRY_SERVERS_FAST=${WHERRY_SERVERS_FAST-1}
private=
if [[ -z ${WHERRY_TEST_SERVERS:-} ]]; then
	private=1
	scripts/servers.sh install
	before=$(running)
	scripts/servers.sh up mysql:2 mariadb:2
fi

go vet ./...

# One package at a time: they share the servers. Never from the cache: it does
# not know what the servers hold.
tests() {
	[[ -z $private ]] || eval "$(scripts/servers.sh env)"
	go test -p 1 -count=1 -timeout 20m "$@" 2>&1
}

# Tests these packages. One that fails because a server crashed, which is no
# doing of wherry's, has one more run, after that server's last words.
each() {
	local package failed=0
	for package in "$@"; do
		tests "$package" || { revive && tests "$package"; } || failed=1
	done
	return $failed
}

# Starts the servers that have died; whether there were any.
revive() {
	[[ -n $private ]] || return 1
	local dead name
	eval "$(scripts/servers.sh env)"
	mapfile -t dead < <(scripts/servers.sh status | awk '$NF == "stopped" { print $1 }')
	((${#dead[@]} > 0)) || return 1
	for name in "${dead[@]}"; do
		echo "--- $name has died; the end of its log:"
		tail -n 60 "$WHERRY_SERVERS_DIR/$name/log"
		dmesg 2>/dev/null | grep -i 'killed process' | tail -n 3 || true
		scripts/servers.sh start "$name" 2>&1
	done
	echo "--- once more, as $(IFS=,; echo "${dead[*]}") had died:"
}

# Packages that mostly wait, for servers that are frozen or gone: they are tested beside the others, each lane on servers of its own.
beside=(
	"./test/moves"
	"./test/alter ./test/back ./test/cascades ./test/ddl ./test/objects"
	"./test/evolve ./test/sources"
)

begin=$SECONDS rc=0
if (($# == 0)) && [[ -n $private ]]; then
	mapfile -t packages < <(go list ./...)
	for i in "${!beside[@]}"; do
		mapfile -t apart < <(echo "${beside[$i]}" | xargs go list)
		mapfile -t packages < <(printf '%s\n' "${packages[@]}" | grep -vxF -f <(printf '%s\n' "${apart[@]}"))
		WHERRY_SERVERS_DIR=$base/lane$i scripts/servers.sh up mysql:2 mariadb:2
		set -m
		(export WHERRY_SERVERS_DIR=$base/lane$i && each "${apart[@]}") >"$log.lane$i" &
		lanes[$i]=$!
		set +m
	done
	each "${packages[@]}" | tee "$log" || rc=${PIPESTATUS[0]}
	for i in "${!beside[@]}"; do
		wait "${lanes[$i]}" || rc=$?
		unset "lanes[$i]"
		tee -a "$log" <"$log.lane$i"
	done
else
	(($# > 0)) || set -- ./...
	tests "$@" | tee "$log" || rc=${PIPESTATUS[0]}
fi

echo
if ((rc == 0)); then
	echo "passed: $(grep -c '^ok' "$log" || true) packages in $((SECONDS - begin)) s"
else
	grep -E '^ *--- FAIL|^FAIL.+|^panic:' "$log" || true
	echo "failed after $((SECONDS - begin)) s"
fi
exit "$rc"
