#!/usr/bin/env bash
# Runs go vet and the tests against real servers: those that WHERRY_TEST_SERVERS
# lists, or else private ones (scripts/servers.sh), which are installed and
# started as needed. Arguments go to go test:
#
#	scripts/test.sh -run TestMove ./test/...
#
# Servers that this run has started are stopped at its end, unless
# KEEP_SERVERS=1. A server that is missing is a failure here, not a skip.
#
# Without arguments all packages are tested, in lanes side by side. A line tells
# which package a lane has come to; its results are told when it is done, and
# at the end the slowest tests. With --versions only moves between versions are
# tested, from each version that can be had here to each.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export WHERRY_REQUIRE_SERVERS=1

log=$(mktemp) base=${WHERRY_SERVERS_DIR:-$PWD/.servers}
running() { scripts/servers.sh status | awk '$NF == "running" { print $1 }' | sort; }
# shellcheck disable=SC2317 # called by the trap
tidy() {
	rm -f "$log" "$log".*
	local lane
	for lane in "${!lanes[@]}"; do { kill -- "-${lanes[$lane]}" 2>/dev/null && wait "${lanes[$lane]}"; } || true; done
	((${#lanes[@]} == 0)) || sleep 1 # until the tests have ended, whose own servers are stopped below
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
	scripts/servers.sh install mysql mariadb postgres
	before=$(running)
	[[ ${1:-} == --versions ]] || scripts/servers.sh up mysql:2 mariadb:2 postgres:1
fi

go vet ./...

# One package at a time: they share the servers. Never from the cache: it does
# not know what the servers hold. Tests end by themselves what does not move, so
# the time limit is only for what they do not see, and long: the machine may be
# busy.
tests() {
	[[ -z $private ]] || eval "$(scripts/servers.sh env)"
	go test -p 1 -count=1 -timeout 2h "$@" 2>&1
}

# Tests a package, and notes the time that each test takes.
timed() { tests -json "${only[@]}" "$1" | "$log.tally" "$log.times"; }
only=() # arguments of go test: which tests a lane runs

# each LANE PACKAGE... tests these packages. One that fails because a server
# crashed, which is no doing of wherry's, has one more run, after that server's
# last words.
each() {
	local lane=$1 package failed=0 left
	shift
	while (($# > 0)); do
		package=$1
		shift
		left="left: $#${*+ (${*##*/})}"
		((${#left} < 80)) || left="${left:0:80}..)"
		echo "$((SECONDS - begin)) s, lane $lane: $package, $left" >&3
		timed "$package" || { revive && timed "$package"; } || failed=1
	done
	echo "$((SECONDS - begin)) s, lane $lane: done" >&3
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
	"$(echo ./test/{values,keys,back,evolve})"
)
# The servers of each lane. The last moves between versions only.
fleets=("mysql:2 mariadb:2" "mysql:2 mariadb:2" "mysql:2 mariadb:2" "mysql:1 mariadb:1 mariadb118:1")
versions=$((${#beside[@]} - 1))

# start_lane I SERVERS: starts lane I in the background, on servers of its own.
start_lane() {
	local i=$1 apart
	mapfile -t apart < <(echo "${beside[$i]}" | xargs go list)
	# shellcheck disable=SC2086 # a list of words
	WHERRY_SERVERS_DIR=$base/lane$i scripts/servers.sh up $2
	set -m
	(
		export WHERRY_SERVERS_DIR=$base/lane$i
		if ((i == versions)); then
			export WHERRY_VERSIONS=1
			only=(-run '^TestVersions$')
		fi
		each "$((i + 1))" "${apart[@]}"
	) >"$log.lane$i" &
	lanes[$i]=$!
	set +m
}

# end_lane I waits for a lane and tells its results.
end_lane() {
	wait "${lanes[$1]}" || rc=$?
	unset "lanes[$1]"
	tee -a "$log" <"$log.lane$1"
}

begin=$SECONDS rc=0
exec 3>&1 # lines of progress are told at once, also those of lanes that write to a file
go build -o "$log.tally" ./test/tally
if [[ ${1:-} == --versions ]]; then
	[[ -n $private ]] || { echo "test.sh: --versions starts servers of its own: unset WHERRY_TEST_SERVERS" >&2; exit 64; }
	start_lane "$versions" "mysql:1 mariadb:1 mariadb118:2 mariadb105:2"
	end_lane "$versions"
elif (($# == 0)) && [[ -n $private ]]; then
	mapfile -t packages < <(go list ./...)
	for i in "${!beside[@]}"; do
		((i == versions)) || mapfile -t packages < <(printf '%s\n' "${packages[@]}" | grep -vxF -f <(echo "${beside[$i]}" | xargs go list))
		start_lane "$i" "${fleets[$i]}"
	done
	each main "${packages[@]}" | tee "$log" || rc=${PIPESTATUS[0]}
	for i in "${!beside[@]}"; do end_lane "$i"; done
else
	(($# > 0)) || set -- ./...
	tests "$@" | tee "$log" || rc=${PIPESTATUS[0]}
fi

echo
if [[ -s $log.times ]]; then
	echo "the slowest tests:"
	# Awk reads to the end: a head that closes the pipe early lets sort die of
	# SIGPIPE, and with it this script.
	sort -rn "$log.times" | awk 'NR <= 10 { printf "%8.1f s  %s %s\n", $1, $2, $3 }'
fi
if ((rc == 0)); then
	echo "passed: $(grep -c '^ok' "$log" || true) packages in $((SECONDS - begin)) s"
else
	grep -E '^ *--- FAIL|^FAIL.+|^panic:' "$log" || true
	echo "failed after $((SECONDS - begin)) s"
fi
exit "$rc"
