#!/usr/bin/env bash
# Private MySQL, MariaDB and PostgreSQL servers for wherry's tests and demo.
#
# Every server is an instance in a folder of its own, on a loopback port, with
# no part of it outside that folder; the machine's own database servers, if it
# has any, are neither used nor touched. See usage() below.
set -euo pipefail
shopt -s nullglob
umask 022

SELF=$(readlink -f "${BASH_SOURCE[0]}")
ROOT=$(dirname "$(dirname "$SELF")")
readonly SELF ROOT
readonly BASE_PORT=${WHERRY_SERVERS_PORT:-23306}
readonly TIMEOUT=${WHERRY_SERVERS_TIMEOUT:-120} # seconds that a server may do nothing before it is ready, or has stopped

# The flavors, and for those that are not of the machine's own Debian the suite
# and the package that they come from. A name is a family and a version.
readonly FLAVORS=(mysql mariadb mariadb118 mariadb105 postgres)
declare -rA SUITE=([mysql]=${WHERRY_MYSQL_SUITE:-sid} [mariadb118]=trixie [mariadb105]=bullseye)
declare -rA PACKAGE=([mysql]=mysql-server-core [mariadb118]=mariadb-server-core [mariadb105]=mariadb-server-core-10.5)
family_of() { echo "${1%%[0-9-]*}"; } # of a flavor or an instance: mysql, mariadb, postgres
is_flavor() { [[ " ${FLAVORS[*]} " == *" $1 "* ]]; }

usage() {
	cat <<'HELP'
usage: scripts/servers.sh COMMAND

  install [FLAVOR | sysbench]...
        install what is lacking (default: mysql mariadb). The flavors are
        mysql (9.7), mariadb (the system's: 10.11 on Debian 12), mariadb118,
        mariadb105 and postgres
  up [FLAVOR:N | NAME]... [--opt NAME:OPTION[=VALUE]]...
        make sure that these instances run (default: mysql:2 mariadb:2);
        FLAVOR:N means FLAVOR-1 to FLAVOR-N. An option is remembered and is in
        force from the next start of that instance:
        up mysql:2 --opt mysql-2:gtid_mode=OFF
  down [--purge] [NAME]...
        stop them (default: all, and those that tests have started which were
        killed); --purge deletes their data too
  start | stop | restart NAME    the orderly way
  kill NAME                      SIGKILL: what a crash does
  freeze | thaw NAME             SIGSTOP, SIGCONT: what a network outage does
  env   print the variables that tell the tests where the servers are:
        eval "$(scripts/servers.sh env)"
  status
        list the instances
  help  print this text

accounts: root without a password (MySQL, MariaDB: over loopback and socket),
  wherry with password wherry-secret (all privileges, from anywhere); on
  PostgreSQL postgres without a password and wherry.

environment:
  WHERRY_SERVERS_DIR      where the instances live (default .servers)
  WHERRY_SERVERS_DIST     where programs and templates live (.servers/dist)
  WHERRY_SERVERS_FAST=1   with up: do not sync every commit to disk. Survives
                          kill, not a power failure. Only for those that
                          are not running yet.
  WHERRY_SERVERS_PORT     the port from which free ones are looked for (23306)
  WHERRY_SERVERS_TIMEOUT  seconds to wait for a server that does nothing (120)
HELP
}

say() { printf '%s\n' "$*" >&2; }
die() {
	say "servers.sh: $*"
	doing=
	exit 1
}

# A program that fails ends this script: the last line then says what for.
doing=
trap 'rc=$?; [[ " 0 129 130 143 " == *" $rc "* ]] || [[ -z $doing ]] || say "servers.sh: cannot $doing: see above (exit status $rc)"' EXIT
have() { command -v "$1" >/dev/null 2>&1; }
is_root() { ((EUID == 0)); }

as_root() {
	if is_root; then
		"$@"
	elif have sudo; then
		sudo -n "$@" || die "sudo could not do this, run it as root: $*"
	else
		die "neither root nor sudo; run this as root: $*"
	fi
}

# Whether the users that servers run as, when we are root, can enter a folder.
open_to_all() { ! is_root || setpriv --reuid=nobody --clear-groups test -x "$1" 2>/dev/null; }

# Sets DIR and DIST, the homes of the instances and of the programs. A project
# folder below, say, root's home is closed to the servers: then they live
# elsewhere.
choose_folders() {
	local base=$ROOT/.servers
	if ! open_to_all "$ROOT"; then
		base=/var/tmp/wherry-servers-$(cksum <<<"$ROOT" | tr -c '0-9\n' '-')
		mkdir -p "$base"
		[[ -O $base ]] || die "$base belongs to somebody else"
	fi
	DIR=$(realpath -m "${WHERRY_SERVERS_DIR:-$base}")
	DIST=$(realpath -m "${WHERRY_SERVERS_DIST:-$base/dist}")
	readonly DIR DIST
}

# One command at a time installs, chooses ports and starts servers, on the whole
# machine: two copies of this project may be tested side by side.
locked=
lock() {
	[[ -z $locked ]] || return 0
	exec 9>"/tmp/wherry-servers-$EUID.lock"
	flock -w 3600 9 || die "another servers.sh has been installing or starting servers for an hour"
	locked=1
}

# ---------------------------------------------------------------- installing

installed() {
	[[ $1 == sysbench ]] || is_flavor "$1" || die "unknown flavor $1: it is one of ${FLAVORS[*]} sysbench"
	case $1 in
	mysql | mariadb?*) [[ -x $DIST/$1/usr/sbin/mysqld ]] ;;
	mariadb) [[ -x /usr/sbin/mariadbd ]] && have mariadb-install-db ;;
	postgres) [[ -n $(postgres_bin) ]] ;;
	sysbench) have sysbench ;;
	esac
}

install() {
	local what
	(($# > 0)) || set -- mysql mariadb
	for what in "$@"; do
		installed "$what" && continue
		lock
		installed "$what" && continue
		have apt-get || die "cannot install $what: no apt-get here. To test against servers
that exist, set WHERRY_TEST_SERVERS to a list of them, for example
  export WHERRY_TEST_SERVERS='mysql-1=mysql://root@127.0.0.1:3306 mysql-2=... mariadb-1=mariadb://... mariadb-2=...'
(their contents will be overwritten; tests that crash a server are skipped)"
		say "installing $what"
		doing="install $what"
		case $what in
		mysql | mariadb?*) unpack "$what" ;;
		mariadb) apt_install mariadb-server-core mariadb-client ;; # core: the programs without the service
		postgres) apt_install postgresql ;;
		sysbench) apt_install sysbench ;;
		esac
		installed "$what" || die "cannot install $what: it is still lacking after apt-get"
		doing=
	done
}

apt_updated=
apt_install() {
	if [[ -z $apt_updated ]]; then
		as_root apt-get update -qq >&2
		apt_updated=1
	fi
	# Exit status 101 forbids the packages to start their service.
	local guard=/usr/sbin/policy-rc.d rc=0
	if [[ -e $guard ]]; then
		guard=
	else
		printf '#!/bin/sh\nexit 101\n' | as_root tee "$guard" >/dev/null
		as_root chmod 755 "$guard"
	fi
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2 || rc=$?
	[[ -z $guard ]] || as_root rm -f "$guard"
	return $rc
}

# A server of another suite is linked with another C library than the system's
# (Debian has MySQL in its unstable suite only). So it is unpacked beside the
# system, with the libraries it wants, and started by its own loader. Needs no
# root.
unpack() {
	local flavor=$1 apt=$DIST/apt keyring=/usr/share/keyrings/debian-archive-keyring.gpg deb name
	[[ -e $keyring ]] || apt_install debian-archive-keyring
	rm -rf "$apt" "$DIST/$flavor.new"
	mkdir -p "$apt"/{lists,cache/archives}/partial "$DIST/$flavor.new"
	printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "$(debian_mirror)" "${SUITE[$flavor]}" >"$apt/sources.list"
	: >"$apt/status" # nothing counts as installed: every library is fetched
	local opts=(-qq -o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null
		-o Dir::Etc::preferencesparts=/dev/null -o Dir::State="$apt" -o Dir::State::lists="$apt/lists"
		-o Dir::State::status="$apt/status" -o Dir::Cache="$apt/cache" -o APT::Sandbox::User=root
		-o Debug::NoLocking=1 -o Acquire::Retries=3 -o Acquire::Languages=none)
	apt-get "${opts[@]}" update >&2
	apt-get "${opts[@]}" -y --no-install-recommends --download-only install "${PACKAGE[$flavor]}" libc6 >&2
	for deb in "$apt"/cache/archives/*.deb; do
		name=${deb##*/}
		[[ $name == perl* || $name == libperl* ]] || dpkg-deb -x "$deb" "$DIST/$flavor.new"
	done
	rm -rf "$apt" "${DIST:?}/$flavor"
	mv "$DIST/$flavor.new" "$DIST/$flavor"
}

# The Debian mirror that apt uses already, or else Debian's own.
debian_mirror() {
	# shellcheck disable=SC2016 # the $(...) is apt's, not the shell's
	apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
		awk '!found && /\/debian\/?$/ { print; found = 1 } END { exit !found }' || echo http://deb.debian.org/debian
}

postgres_bin() {
	local d found=
	for d in /usr/lib/postgresql/*/bin; do
		[[ -x $d/initdb ]] && found=$d
	done
	printf '%s' "$found"
}

# ---------------------------------------------------------------- flavors

# Sets CMD to the server program of a flavor with what it needs to find itself.
program() {
	case $1 in
	mysql | mariadb?*)
		local r=$DIST/$1 loaders libraries share
		loaders=("$r"/{usr/,}lib/*-linux-*/ld-linux*.so.*) # older suites have it outside usr
		libraries=("$r"/{usr/,}lib/*-linux-*)
		share=$(share_of "$1")
		CMD=("${loaders[0]}" --library-path "$(IFS=: && echo "${libraries[*]}")" "$r"/usr/sbin/mysqld --no-defaults
			--basedir="$r/usr" --lc-messages-dir="$share" --character-sets-dir="$share/charsets" --plugin-dir="$r/usr/lib/mysql/plugin")
		;;
	mariadb) CMD=(/usr/sbin/mariadbd --no-defaults) ;;
	postgres) CMD=("$(postgres_bin)/postgres") ;;
	esac
}

# The folder of messages, character sets and SQL files of a flavor that was unpacked.
share_of() {
	local folders=("$DIST/$1"/usr/share/{mariadb,mysql})
	[[ -d ${folders[0]} ]] && echo "${folders[0]}" || echo "${folders[1]}"
}

# Adds to CMD what every instance of the flavor is started with.
instance_options() {
	local flavor=$1 dir=$2 port=$3 socket=$4
	if [[ $flavor == postgres ]]; then
		CMD+=(-D "$dir/data" -c port="$port" -c listen_addresses=127.0.0.1
			-c unix_socket_directories="${socket%/*}" -c wal_level=logical -c max_connections=200)
		return
	fi
	# The port is unique on this machine, so it serves as the server id too.
	# A tmpdir of its own: a server that starts deletes what others have in one that they share.
	CMD+=(--datadir="$dir/data" --tmpdir="$dir/tmp" --port="$port" --bind-address=127.0.0.1 --socket="$socket"
		--pid-file="$dir/data/server.pid" --server-id="$port" --log-bin=binlog --binlog-format=ROW
		--local-infile=1 --secure-file-priv= --innodb-buffer-pool-size=256M
		--max-allowed-packet=64M --max-connections=200)
	case $(family_of "$flavor") in
	mysql) CMD+=(--mysqlx=OFF --gtid-mode=ON --enforce-gtid-consistency=ON
		--innodb-redo-log-capacity=512M --performance-schema=OFF) ;;
	mariadb) CMD+=(--innodb-log-file-size=512M) ;;
	esac
}

# Whom the server of a flavor runs as: us, unless we are root.
server_user() {
	if ! is_root; then
		id -un
	elif [[ $1 == postgres ]]; then
		echo postgres
	elif getent passwd mysql >/dev/null; then
		echo mysql
	else
		echo nobody
	fi
}

# Sets AS to the words that run a command as user $1, who must reach folder $2.
run_as() {
	AS=()
	[[ $1 == "$(id -un)" ]] && return
	AS=(setpriv --reuid="$1" --regid="$(id -g "$1")" --clear-groups)
	"${AS[@]}" test -x "$2" || die "user $1 cannot enter $2: set WHERRY_SERVERS_DIR and WHERRY_SERVERS_DIST to folders that are open to it"
}

# Initialising takes seconds, copying does not: one folder per flavor is
# initialised, with the accounts in it, and copied for every instance.
make_template() {
	local flavor=$1 dir=$DIST/template-$1 user
	[[ -d $dir ]] && return
	user=$(server_user "$flavor")
	rm -rf "$dir.new"
	mkdir -p "$dir.new"
	[[ $user == "$(id -un)" ]] || chown "$user:" "$dir.new"
	run_as "$user" "$dir.new"
	# As a job, because within a condition bash would go on after a program that fails.
	(cd "$dir.new" && "template_$(family_of "$flavor")" "$dir.new" "$flavor") >"$DIST/template-$flavor.log" 2>&1 &
	if ! wait $!; then
		tail -n 30 "$DIST/template-$flavor.log" >&2
		die "cannot initialise $flavor: the log is $DIST/template-$flavor.log"
	fi
	mv "$dir.new" "$dir"
}

readonly ACCOUNTS="
CREATE USER 'wherry'@'%' IDENTIFIED BY 'wherry-secret';
GRANT ALL PRIVILEGES ON *.* TO 'wherry'@'%' WITH GRANT OPTION;
CREATE USER 'wherry'@'localhost' IDENTIFIED BY 'wherry-secret';
GRANT ALL PRIVILEGES ON *.* TO 'wherry'@'localhost' WITH GRANT OPTION;"

template_mysql() {
	program mysql
	CMD+=(--datadir="$1/data" --secure-file-priv= --mysqlx=OFF --skip-log-bin)
	"${AS[@]}" "${CMD[@]}" --initialize-insecure
	# Accounts cannot be made while initialising, so a second run does that.
	printf '%s\nSHUTDOWN;\n' "$ACCOUNTS" >"$1/accounts.sql"
	"${AS[@]}" "${CMD[@]}" --skip-networking --socket="$1/s" --pid-file="$1/pid" --init-file="$1/accounts.sql"
	rm -f "$1/data/auto.cnf" # the server's uuid: every copy shall get its own
}

template_mariadb() {
	program "$2"
	CMD+=(--datadir="$1/data" --innodb-log-file-size=8M)
	if [[ $2 == mariadb ]]; then
		"${AS[@]}" mariadb-install-db --no-defaults --datadir="$1/data" --skip-test-db \
			--auth-root-authentication-method=normal --innodb-log-file-size=8M
	else
		# That program finds no server that needs a loader: this is what it does.
		"${AS[@]}" mkdir -p "$1/data/mysql"
		{
			printf 'USE mysql;\nSET @auth_root_socket = NULL;\n'
			cat "$(share_of "$2")"/*_{system_tables,performance_tables,system_tables_data}.sql "$(share_of "$2")"/maria_add_gis_sp_bootstrap.sql
		} | "${AS[@]}" "${CMD[@]}" --bootstrap
	fi
	# The system tables have an account for the machine's name too, which differs everywhere.
	printf "DELETE FROM mysql.global_priv WHERE User = 'root' AND Host <> 'localhost';\nFLUSH PRIVILEGES;%s\n" "$ACCOUNTS" |
		"${AS[@]}" "${CMD[@]}" --bootstrap
}

template_postgres() {
	program postgres
	"${AS[@]}" "$(postgres_bin)/initdb" -D "$1/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8
	echo "CREATE ROLE wherry SUPERUSER LOGIN PASSWORD 'wherry-secret';" |
		"${AS[@]}" "${CMD[@]}" --single -D "$1/data" postgres
}

# ---------------------------------------------------------------- instances
#
# DIR/NAME/ holds: data, log, start (the command line), pid, port, socket (its
# path) and options (what --opt gave, one per line).

names() {
	local d
	for d in "$DIR"/*-*/; do
		[[ -e ${d}port ]] && basename "$d"
	done | sort -V
}

check_name() {
	[[ $1 =~ -[1-9][0-9]*$ ]] && is_flavor "${1%-*}" ||
		die "invalid name $1: it is like mysql-1, mariadb-2, mariadb118-1; the flavors are ${FLAVORS[*]}"
}
exists() { [[ -e $DIR/$1/port ]] || die "no instance $1: run scripts/servers.sh up $1"; }
flavor_of() { echo "${1%-*}"; }
port_of() { cat "$DIR/$1/port"; }

# Prints the pid of a running instance. A pid that some other program has got
# since does not count: the data folder must be among its arguments.
pid_of() {
	local pid args arg
	pid=$(cat "$DIR/$1/pid" 2>/dev/null) && [[ -n $pid ]] || return 1
	mapfile -d '' args 2>/dev/null <"/proc/$pid/cmdline" || return 1
	for arg in "${args[@]}"; do
		if [[ ${arg#--datadir=} == "$DIR/$1/data" ]]; then
			echo "$pid"
			return
		fi
	done
	return 1
}

state_of() {
	local pid stat
	pid=$(pid_of "$1") || {
		echo stopped
		return
	}
	stat=$(cat "/proc/$pid/stat" 2>/dev/null) || stat=
	stat=${stat##*) }
	if [[ ${stat%% *} == [tT] ]]; then
		echo frozen
	else
		echo running
	fi
}

# Whether a process has ended. Its arguments vanish early; its files and its
# port may be held until its last thread is gone. A zombie has ended: nobody
# waits for it, as happens in containers.
gone() {
	local stat tasks
	stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
	stat=${stat##*) }
	tasks=("/proc/$1/task"/*)
	[[ ${stat%% *} == [ZX] ]] && ((${#tasks[@]} == 1))
}

# What changes while a process works: its processor time, and the size of a log.
progress_of() {
	local stat
	stat=$(cat "/proc/$1/stat" 2>/dev/null) || stat=
	read -ra stat <<<"${stat##*) }"
	echo "${stat[11]:-} ${stat[12]:-} $(stat -c %s "$2" 2>/dev/null)"
}

# deadline INSTANCE PID: fails when a process has done nothing for TIMEOUT
# seconds. A busy machine makes everything slow, so the time begins anew while
# the process works. The caller declares last= and since=$SECONDS.
deadline() {
	local now
	now=$(progress_of "$2" "$DIR/$1/log")
	if [[ $now != "$last" ]]; then
		last=$now since=$SECONDS
	fi
	((SECONDS - since < TIMEOUT))
}

listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

PORTS=/tmp/wherry-ports-$EUID # PORT: a file that holds the folder of the instance

# Whether another instance remembers a port, of any folder: a stopped one must
# find its own again.
remembered() {
	local port=$1 instance=$2 other
	for other in "$(cat "$PORTS/$port" 2>/dev/null)" "$DIR"/*; do
		if [[ -n $other && $other != "$instance" && $(cat "$other/port" 2>/dev/null) == "$port" ]]; then return; fi
	done
	return 1
}

# Remembers for an instance the first port from $2 or BASE_PORT on that no other
# remembers and nothing else uses.
free_port() {
	local instance=$DIR/$1 port=${2:-$BASE_PORT}
	while remembered "$port" "$instance" || listening "$port"; do ((++port)); done
	claim_port "$1" "$port"
}

# An instance is there when it has a port: the file comes whole or, with a full disk, not at all.
claim_port() {
	mkdir -p "$PORTS"
	echo "$DIR/$1" >"$PORTS/$2"
	echo "$2" >"$DIR/$1/port.new"
	mv "$DIR/$1/port.new" "$DIR/$1/port"
}

# Makes the folder of an instance, unless it is there.
create() {
	local name=$1 dir=$DIR/$1 flavor socket
	flavor=$(flavor_of "$name")
	[[ -e $dir/port ]] && return
	doing="make $name"
	rm -rf "$dir"
	mkdir -p "$dir"
	cp -a --reflink=auto "$DIST/template-$flavor/data" "$dir/data"
	: >"$dir/options"
	chown --reference="$dir/data" "$dir"
	socket=$dir/sock
	# A socket's path may have 107 bytes, and PostgreSQL names the file itself.
	if ((${#socket} > 90)); then
		socket=$(mktemp -d "${TMPDIR:-/tmp}/wherry-XXXXXX")/sock
		chown --reference="$dir/data" "${socket%/*}"
		chmod 755 "${socket%/*}"
	fi
	echo "$socket" >"$dir/socket"
	free_port "$name"
	doing=
}

# Remembers OPTION[=VALUE] for an instance, in place of an older value.
set_option() {
	local file=$DIR/$1/options option=$2 key old
	key=${option%%=*}
	grep -qxF -e "$option" "$file" && return
	old=$(grep -v -e "^${key//[-_]/[-_]}\(=\|\$\)" "$file" || true)
	printf '%s\n' ${old:+"$old"} "$option" >"$file"
	[[ $(state_of "$1") == stopped ]] || say "$1: $option is in force after: scripts/servers.sh restart $1"
}

# Writes DIR/NAME/start, from the remembered port and options.
write_start() {
	local name=$1 dir=$DIR/$1 flavor user option
	flavor=$(flavor_of "$name")
	user=$(stat -c %U "$dir/data")
	run_as "$user" "$dir"
	program "$flavor"
	instance_options "$flavor" "$dir" "$(port_of "$name")" "$(cat "$dir/socket")"
	while read -r option; do
		case $flavor in
		postgres) CMD+=(-c "$option") ;;
		*) CMD+=("--$option") ;;
		esac
	done <"$dir/options"
	{
		echo '#!/bin/sh'
		printf 'exec'
		printf ' %q' "${AS[@]}" "${CMD[@]}"
		echo
	} >"$dir/start"
	chmod 755 "$dir/start"
}

# Starts an instance without waiting for it. In a session of its own, so that
# an interrupt at the terminal does not reach it.
launch() {
	local name=$1 dir=$DIR/$1 socket
	write_start "$name"
	mkdir -p "$dir/tmp"
	chown --reference="$dir/data" "$dir/tmp"
	socket=$(cat "$dir/socket")
	mkdir -p "${socket%/*}"
	rm -f "$socket" "$socket.lock" "${socket%/*}"/.s.PGSQL.* # left over from a crash
	stat -c %s "$dir/log" >"$dir/log.from" 2>/dev/null || echo 0 >"$dir/log.from"
	# It writes its pid itself: when this script is interrupted here, down must find it. Files that the caller has open, such as
	# the lock (9), are not the server's.
	(echo $BASHPID >"$dir/pid" && cd "$dir/data" && exec setsid "$dir/start") >>"$dir/log" 2>&1 </dev/null 3>&- 9>&- &
	echo $! >"$dir/pid"
}

# Whether a server has found that somebody has taken its port.
lost_port() { tail -c "+$(($(cat "$DIR/$1/log.from") + 1))" "$DIR/$1/log" | grep -iE 'address already in use|do you already have another' >/dev/null; }

# Whether the server talks: MySQL and MariaDB greet whoever connects. Its socket
# comes after its port, so who answers is this server and not another program
# that has taken the port.
answers() {
	local socket
	socket=$(cat "$DIR/$1/socket")
	case $1 in
	postgres-*) "$(postgres_bin)/pg_isready" -q -t 2 -h "${socket%/*}" -p "$(port_of "$1")" ;;
	*) [[ -S $socket && -n $(greeting "$(port_of "$1")") ]] ;;
	esac
}

# Prints the version in the greeting of the MySQL or MariaDB server at a port.
greeting() {
	(
		exec 3<>"/dev/tcp/127.0.0.1/$1" || exit
		timeout 2 head -c 32 <&3 | LC_ALL=C tr -c '[:print:]' '\n' | grep -aoE '[0-9]+\.[0-9.]+[0-9](-[0-9.]+-MariaDB)?' | head -n 1
	) 2>/dev/null || true
}

# Returns 1, and has ended the server, when its port was taken meanwhile.
wait_ready() {
	local name=$1 pid last='' since=$SECONDS
	pid=$(cat "$DIR/$name/pid")
	until answers "$name"; do
		if lost_port "$name"; then
			kill -KILL "$pid" 2>/dev/null || true # it may hang instead of ending by itself
			until gone "$pid"; do sleep 0.02; done
			return 1
		fi
		! gone "$pid" || failed "$name" "stopped while starting"
		deadline "$name" "$pid" || failed "$name" "does not answer, and has done nothing for $TIMEOUT s"
		sleep 0.1
	done
}

failed() {
	say "--- the end of $DIR/$1/log"
	tail -n 30 "$DIR/$1/log" >&2
	die "$1 $2"
}

# ---------------------------------------------------------------- commands

up() {
	local wanted=() opts=() started=() flavors name flavor i opt port begin=$SECONDS
	while (($# > 0)); do
		case $1 in
		--opt)
			[[ ${2:-} == *:?* ]] || die "--opt needs NAME:OPTION[=VALUE]"
			opts+=("$2")
			shift
			;;
		*:*)
			[[ ${1#*:} =~ ^[0-9]+$ ]] || die "invalid count in $1"
			for ((i = 1; i <= ${1#*:}; i++)); do wanted+=("${1%%:*}-$i"); done
			;;
		*) wanted+=("$1") ;;
		esac
		shift
	done
	((${#wanted[@]} > 0)) || wanted=(mysql-{1,2} mariadb-{1,2})
	for name in "${wanted[@]}"; do check_name "$name"; done
	for name in "${opts[@]%%:*}"; do
		[[ " ${wanted[*]} " == *" $name "* ]] || die "--opt names $name, which is none of: ${wanted[*]}"
	done

	mkdir -p "$DIR" "$DIST"
	lock
	mapfile -t flavors < <(printf '%s\n' "${wanted[@]%-*}" | sort -u)
	install "${flavors[@]}"
	local jobs=()
	for flavor in "${flavors[@]}"; do
		make_template "$flavor" &
		jobs+=($!)
	done
	for i in "${jobs[@]}"; do wait "$i"; done

	for name in "${wanted[@]}"; do
		create "$name"
		for opt in "${opts[@]}"; do
			[[ ${opt%%:*} != "$name" ]] || set_option "$name" "${opt#*:}"
		done
		case $(state_of "$name") in
		frozen) say "$name is frozen: left alone" ;;
		stopped)
			[[ -z ${WHERRY_SERVERS_FAST:-} ]] || fast "$name"
			port=$(port_of "$name")
			if remembered "$port" "$DIR/$name" || listening "$port"; then
				say "$name: port $port is taken by another program, so it moves"
				free_port "$name"
			else
				claim_port "$name" "$port"
			fi
			launch "$name"
			started+=("$name")
			;;
		esac
	done
	for name in "${started[@]}"; do
		until wait_ready "$name"; do
			say "$name: port $(port_of "$name") was taken by another program, so it moves"
			free_port "$name" $(($(port_of "$name") + 1))
			launch "$name"
		done
	done
	say "up: ${wanted[*]} (${#started[@]} started in $((SECONDS - begin)) s)"
}

fast() {
	case $1 in
	postgres-*) set_option "$1" synchronous_commit=off ;;
	*)
		set_option "$1" innodb_flush_log_at_trx_commit=2
		set_option "$1" sync_binlog=0
		;;
	esac
}

start() {
	[[ $(state_of "$1") == stopped ]] || return 0
	lock
	! listening "$(port_of "$1")" || die "$1: port $(port_of "$1") is taken by another program (up would choose another)"
	launch "$1"
	wait_ready "$1" || die "$1: port $(port_of "$1") was taken by another program (up would choose another)"
}

# Asks a server to stop: PostgreSQL by SIGINT, which does not wait for clients.
ask() {
	asked=$SECONDS
	case $1 in
	postgres-*) kill -INT "$2" ;;
	*) kill -TERM "$2" ;;
	esac 2>/dev/null || true # it has ended by now
}

# Asks the instances to stop and waits until they are gone.
stop() {
	local name last since asked
	local -A pids=()
	for name in "$@"; do
		pids[$name]=$(pid_of "$name") || continue
		signal CONT "$name" # a frozen one would not notice
		ask "$name" "${pids[$name]}"
	done
	for name in "$@"; do
		last='' since=$SECONDS
		until [[ -z ${pids[$name]:-} ]] || gone "${pids[$name]}"; do
			if ! deadline "$name" "${pids[$name]}"; then
				say "$name does not stop: killed"
				crash "$name"
			fi
			((SECONDS == asked)) || ask "$name" "${pids[$name]}" # a server that has only just started may not have heard it
			sleep 0.02
		done
		rm -f "$DIR/$name/pid"
	done
}

down() {
	local purge='' name all=() socket
	while (($# > 0)); do
		case $1 in
		--purge) purge=1 ;;
		-*) die "unknown flag $1" ;;
		*) all+=("$1") ;;
		esac
		shift
	done
	((${#all[@]} > 0)) || mapfile -t all < <(names)
	orphans
	for name in "${all[@]}"; do
		check_name "$name"
		exists "$name"
	done
	if [[ -z $purge ]]; then
		stop "${all[@]}"
		return
	fi
	for name in "${all[@]}"; do
		[[ $(state_of "$name") == stopped ]] || crash "$name" # its data goes too
	done
	for name in "${all[@]}"; do
		socket=$(cat "$DIR/$name/socket")
		[[ $socket == "$DIR"/* ]] || rm -rf "${socket%/sock}"
		rm -rf "${DIR:?}/$name"
	done
}

# Takes away the servers of tests that were killed: each keeps them in a folder
# extra-PID-* with its own pid.
orphans() {
	local dir pid
	for dir in "$DIR"/extra-*/; do
		pid=${dir#"$DIR"/extra-}
		gone "${pid%%-*}" || continue
		WHERRY_SERVERS_DIR=${dir%/} "$SELF" down --purge
		rm -rf "${dir%/}"
	done
}

# Sends a signal to all processes of an instance, which must be running, and
# leaves their ids in SIGNALED. Only PostgreSQL has more than one.
signal() {
	local pid children=()
	pid=$(pid_of "$2") || die "$2 is not running"
	read -ra children <"/proc/$pid/task/$pid/children" || true
	SIGNALED=("$pid" "${children[@]}")
	kill "-$1" "${SIGNALED[@]}"
}

crash() {
	local pid
	signal KILL "$1"
	for pid in "${SIGNALED[@]}"; do
		until gone "$pid"; do sleep 0.02; done
	done
	# PostgreSQL takes a zombie for a living server, and would not start again.
	rm -f "$DIR/$1/pid" "$DIR/$1/data/postmaster.pid"
}

urls() {
	local name
	for name in $(names); do
		pid_of "$name" >/dev/null || continue
		case $name in
		postgres-*) echo "$name=postgres://postgres@127.0.0.1:$(port_of "$name")/postgres?sslmode=disable" ;;
		*) echo "$name=$(family_of "$name")://root@127.0.0.1:$(port_of "$name")" ;;
		esac
	done
}

env_vars() {
	local list
	list=$(urls | tr '\n' ' ')
	echo "export WHERRY_TEST_SERVERS='${list% }'"
	printf 'export WHERRY_SERVERS_SCRIPT=%q\n' "$SELF"
	printf 'export WHERRY_SERVERS_DIR=%q\n' "$DIR"
	printf 'export WHERRY_SERVERS_DIST=%q\n' "$DIST"
}

status() {
	local name state
	printf '%-12s %-9s %-24s %-6s %-8s %s\n' NAME FLAVOR VERSION PORT PID STATE
	for name in $(names); do
		state=$(state_of "$name")
		printf '%-12s %-9s %-24s %-6s %-8s %s\n' "$name" "$(flavor_of "$name")" "$(version_of "$name" "$state")" \
			"$(port_of "$name")" "$(pid_of "$name" || echo -)" "$state"
	done
}

version_of() {
	local version=
	case $1-$2 in
	postgres-*) version=$(cat "$DIR/$1/data/PG_VERSION") ;;
	*-running) version=$(greeting "$(port_of "$1")") ;;
	esac
	version=${version#5.5.5-} # MariaDB's prefix for the sake of old replicas
	echo "${version:--}"
}

main() {
	local command=${1:-help}
	(($# == 0)) || shift
	choose_folders
	case $command in
	install) install "$@" ;;
	up) up "$@" ;;
	down) down "$@" ;;
	env) env_vars ;;
	status) status ;;
	help | -h | --help) usage ;;
	start | stop | restart | kill | freeze | thaw)
		(($# == 1)) || die "$command needs the name of one instance"
		check_name "$1"
		exists "$1"
		case $command in
		start) start "$1" ;;
		stop) stop "$1" ;;
		restart)
			stop "$1"
			start "$1"
			;;
		kill) crash "$1" ;;
		freeze) signal STOP "$1" ;;
		thaw) signal CONT "$1" ;;
		esac
		;;
	*)
		usage >&2
		die "unknown command $command"
		;;
	esac
}

main "$@"
