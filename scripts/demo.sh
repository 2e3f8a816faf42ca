#!/usr/bin/env bash
# Watch a live move: two private servers, a shop with a million rows, an
# application that goes on writing, and wherry's commands one by one; at the
# end proof that nothing was lost or doubled. Everything lives in a folder of
# its own and on loopback; the servers are stopped at the end.
#
#	FROM       mysql (default) or mariadb
#	TO         mysql (default), mariadb or postgres
#	ROWS       rows to begin with (1000000)
#	KEEP=1     leave the servers running, to look around
#
# Arguments go to the program (-rate, -seed: see test/demo).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

from=${FROM:-mysql} to=${TO:-mysql}
source=$from-1 target=$to-1
[[ $from != "$to" ]] || target=$to-2

eval "$(scripts/servers.sh env)" # where servers live
export WHERRY_SERVERS_DIR=$WHERRY_SERVERS_DIR/demo
# shellcheck disable=SC2317 # called by the trap
tidy() {
	if [[ -n ${KEEP:-} ]]; then
		echo "servers are left running; to stop them: WHERRY_SERVERS_DIR=$WHERRY_SERVERS_DIR scripts/servers.sh down --purge" >&2
	else
		scripts/servers.sh down --purge
	fi
}

make -s build
go build -o bin/demo ./test/demo
trap tidy EXIT
scripts/servers.sh down --purge
scripts/servers.sh up "$source" "$target"
eval "$(scripts/servers.sh env)"
bin/demo -from "$from" -to "$to" -rows "${ROWS:-1000000}" -dir "$(realpath --relative-to=. "$WHERRY_SERVERS_DIR/shop")" "$@"
