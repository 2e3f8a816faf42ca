#!/usr/bin/env bash
# Simulates moves until one goes wrong or the time is over: random tables,
# writers, kills and crashes, on private servers in a folder of their own, which
# are stopped at the end. Prints a line per episode; a failure names its seed,
# the folder with all its logs, and the command that replays it.
#
#	SEED       of the first episode (random)
#	DURATION   no episode begins after it (10m)
#	KEEP=1     leave the servers running, to look around
#
# Arguments go to the program (-episodes, -features, -combo: see test/soak).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

eval "$(scripts/servers.sh env)" # where servers live
export WHERRY_SERVERS_DIR=$WHERRY_SERVERS_DIR/soak
# shellcheck disable=SC2317 # called by the trap
tidy() {
	if [[ -n ${KEEP:-} ]]; then
		echo "servers are left running; to stop them: WHERRY_SERVERS_DIR=$WHERRY_SERVERS_DIR scripts/servers.sh down --purge" >&2
	else
		scripts/servers.sh down --purge
	fi
}

make -s build
go build -o bin/soak ./test/soak
trap tidy EXIT
# The simulation kills servers but does not cut the power.
WHERRY_SERVERS_FAST=${WHERRY_SERVERS_FAST-1} scripts/servers.sh up mysql:2 mariadb:2
eval "$(scripts/servers.sh env)"
bin/soak -seed "${SEED:-0}" -duration "${DURATION:-10m}" -dir "$WHERRY_SERVERS_DIR/work" "$@"
