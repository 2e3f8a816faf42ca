#!/usr/bin/env bash
# Measures wherry on private servers: scripts/bench.sh [FLAGS] [copy] [apply]
# [oltp] [memory] [lag] [cutover] [tables] [verify] [peers]; without a part all
# of them but peers, which takes some forty minutes. The part peers installs
# mydumper and myloader when they are not there. Prints a table and writes all
# figures to bench.json. See docs/performance.md.
#
#	FROM, TO   mysql (default) or mariadb
#	KEEP=1     leave the servers running
#
# Flags: -rounds N, -rows N, -changes N, -scale X (of the part memory), -seconds N
# (of lag), -tables N, -before PROGRAM (another build, measured by turns).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

from=${FROM:-mysql} to=${TO:-mysql}
servers=("$from-1" "$to-1")
[[ $from != "$to" ]] || servers=("$from:3") # the third is the server's own replica

eval "$(scripts/servers.sh env)" # where servers live
export WHERRY_SERVERS_DIR=$WHERRY_SERVERS_DIR/bench
# shellcheck disable=SC2317 # called by the trap
tidy() {
	if [[ -n ${KEEP:-} ]]; then
		echo "servers are left running; to stop them: WHERRY_SERVERS_DIR=$WHERRY_SERVERS_DIR scripts/servers.sh down --purge" >&2
	else
		scripts/servers.sh down --purge
	fi
}

if [[ " $* " == *" peers "* ]] && ! command -v mydumper >/dev/null; then
	apt-get install -y mydumper >&2
fi

make -s build
go build -o bin/bench ./test/bench
trap tidy EXIT
scripts/servers.sh down --purge
scripts/servers.sh up "${servers[@]}"
eval "$(scripts/servers.sh env)"
bin/bench -from "$from" -to "$to" -dir "$(realpath --relative-to=. "$WHERRY_SERVERS_DIR/work")" "$@"
