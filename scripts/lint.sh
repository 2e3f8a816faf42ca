#!/usr/bin/env bash
# Checks the code with golangci-lint at a pinned version, formatting included;
# `scripts/lint.sh fmt` formats instead. The linter is taken from bin/ or from
# Go's own bin folder; when neither has it, it is compiled (some minutes, once
# per machine).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly VERSION=2.15.0

gobin=$(go env GOBIN)
gobin=${gobin:-$(go env GOPATH)/bin}
linter=
for candidate in bin/golangci-lint "$gobin/golangci-lint"; do
	if [[ -x $candidate && $("$candidate" version 2>/dev/null) == *" $VERSION "* ]]; then
		linter=$candidate
		break
	fi
done
if [[ -z $linter ]]; then
	echo "compiling golangci-lint $VERSION: this takes some minutes" >&2
	# Outside of this module, whose requirements are none of its business.
	(cd / && GOFLAGS=-buildvcs=false go install "github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v$VERSION")
	linter=$gobin/golangci-lint
fi

case ${1:-} in
fmt) exec "$linter" fmt ;;
*)
	"$linter" fmt --diff
	exec "$linter" run "$@"
	;;
esac
