#!/usr/bin/env bash
# Runs every fuzz target for a while. What breaks one is written to its
# package's testdata/fuzz, to be fixed and committed: from then on every test
# run tries it.
#
#	scripts/fuzz.sh              10 s each, FUZZTIME=1m for longer
#	scripts/fuzz.sh FuzzJSON     only targets whose name matches
#	KEEP=1 scripts/fuzz.sh       add the inputs that reach new code to testdata
#
# Inputs found on the way are kept in the Go build cache; KEEP=1 copies the
# shortest of them, up to 40 per target.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
match=${1:-.} time=${FUZZTIME:-10s} rc=0 count=0

while IFS=: read -r file target; do
	[[ $target =~ $match ]] || continue
	package=./$(dirname "$file") count=$((count + 1))
	if ! out=$(go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" -parallel 2 "$package" 2>&1); then
		# At the end of its time go test now and then reports its own deadline as the failure of a target that has found nothing.
		if [[ $out != *"context deadline exceeded"* || $out == *"Failing input written"* ]]; then
			printf 'FAIL %s %s\n%s\n' "$package" "$target" "$out"
			rc=1
			continue
		fi
	fi
	echo "ok   $package $target: $(grep -oE 'execs: [0-9]+.*' <<<"$out" | tail -1)"
	if [[ -n ${KEEP:-} ]]; then
		found=$(go env GOCACHE)/fuzz/wherry/${package#./}/$target kept=$package/testdata/fuzz/$target
		mkdir -p "$kept"
		[[ ! -d $found ]] || find "$found" -type f -size -2k -printf '%s %p\n' | sort -n | awk 'NR <= 40 { sub(/^[^ ]* /, ""); print }' | xargs -r cp -t "$kept"
	fi
done < <(grep -rnoE --include='*_test.go' '^func Fuzz[A-Za-z0-9]+' pkg test | sed -E 's/^([^:]+):[0-9]+:func (Fuzz.*)$/\1:\2/' | sort)

((count > 0)) || { echo "fuzz: no target matches $match" >&2; exit 1; }
exit "$rc"
