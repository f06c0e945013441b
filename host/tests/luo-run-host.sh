# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# tools/luo-run on the host, as far as that needs no kexec: the messages of a service, what it
# gets back when it is started again, how luo-run ends, and its list of files. It is compiled
# with sanitizers. The host need not have /dev/liveupdate.

about="luo-run on the host: a store for file descriptors, without a kexec"
kernels=

host_test() {
	local dir
	local -x ASAN_OPTIONS=verify_asan_link_order=0

	# A path of a socket has at most 107 bytes.
	dir=$(mktemp -d)
	echo "1..30"
	result "it compiles without a warning" compile
	"$dir/list_test" | grep -v '^1\.\.'
	result "a service gets nothing at first, and its files when it is started again" again
	result "files that are removed are gone, and one that is stored twice has its first name" removed
	result "each file that is kept for restarts only is named, with the reason" named
	result "luo-run ends as the service does" ends
	result "luo-run has statuses of its own" statuses
	result "a wrong command gives nothing up" wrong_command
	result "signals go to the service, and its last messages count" last_words
	result "a session that is in use is not available to another service" in_use
	result "--require does not start a service whose files cannot be kept" required
	result "--drop gives everything up" dropped
	result "a keeper that is killed is said to be gone" keeper_killed
	result "more files than a process may usually have" many
	result "messages for systemd are passed on, and those about files are not" forwarded
	result "what luo-run was started with goes to the service, before its files" passed_on
	result "the watchdog's process is the service" watchdog
	result "a service in the background is the service" background
	result "a message of a stranger is ignored" stranger
	result "names that are not valid are not used" bad_names
	result "nobody waits for the keeper's output" no_output
	result "a keeper has none of the descriptors of others" no_descriptors
	stop_keepers
	rm -rf "$dir"
}

compile() {
	local flags=(-std=gnu11 -Wall -Wextra -Werror -D_GNU_SOURCE) program
	local sanitize="-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all"

	make -s -C "$root/tools/luo-run" OUT="$dir" CFLAGS="-Werror $sanitize" || return
	# shellcheck disable=SC2086 # words
	gcc "${flags[@]}" $sanitize -o "$dir/list_test" "$root"/tools/luo-run/list{_test,}.c &&
		gcc "${flags[@]}" -static -o "$dir/fdstore" \
			"$root/tools/testing/selftests/liveupdate/fdstore.c" || return
	for program in luo-run fdstore list_test; do
		[[ -x $dir/$program ]] || return
	done
}

# run SESSION OPTION... -- WORD...: a service that does these words; prints what it says
run() {
	local options=()
	while [[ $1 != -- ]]; do
		options+=("$1")
		shift
	done
	shift
	timeout 20 "$dir/luo-run" --directory "$dir/run" \
		--session "${options[@]}" -- "$dir/fdstore" "$@" 2>"$dir/err"
}

# luo_run WORD...: luo-run with these words
luo_run() {
	timeout 20 "$dir/luo-run" --directory "$dir/run" "$@"
}

# same IS SHOULD
same() {
	[[ $1 == "$2" ]] || { echo "'$1' and not '$2'"; return 1; }
}

# status_is STATUS COMMAND...
status_is() {
	local status=0 should=$1
	shift
	"$@" >/dev/null 2>&1 || status=$?
	[[ $status == "$should" ]] || { echo "status $status and not $should of: $*"; return 1; }
}

# said PATTERN: luo-run has printed such a line
said() {
	grep -qE "$1" "$dir/err" || { echo "no /$1/ in:"; cat "$dir/err"; return 1; }
}

stop_keepers() {
	local session
	for session in "$dir"/run/*.lock; do
		session=${session##*/}
		luo_run --drop "${session%.lock}" 2>/dev/null || true
	done
}

again() {
	same "$(run a -- show memfd x one sealed y two pipe p sparse s three memfd x four barrier)" nothing &&
		same "$(run a -- show write 0 ONE)" \
"0 x memfd size=4096 kib=4 seals=0 one
1 y memfd size=4096 kib=4 seals=e two
2 p pipe
3 s memfd size=67108864 kib=4 seals=0 three
4 x memfd size=4096 kib=4 seals=0 four" &&
		same "$(run a -- show | head -1)" "0 x memfd size=4096 kib=4 seals=0 ONE"
}

removed() {
	run a -- again 1 remove x remove nothing barrier &&
		same "$(run a -- show | cut -d ' ' -f 1-3)" "0 y memfd
1 p pipe
2 s memfd"
}

named() {
	run n -- memfd cache one pipe log barrier || return
	[[ -e /dev/liveupdate ]] ||
		said "session n: 'cache' is kept for restarts and not over a kexec: there is no /dev/liveupdate" &&
		said "session n: 'log' is kept for restarts and not over a kexec: "
}

ends() {
	status_is 0 run e -- show &&
		status_is 7 run e -- exit 7 &&
		status_is 143 run e -- kill 15 &&
		status_is 137 run e -- kill 9
}

statuses() {
	local usage=125
	status_is $usage luo_run &&
		status_is $usage luo_run --session a &&
		status_is $usage luo_run --keep a true &&
		status_is $usage luo_run --keep a --drop a &&
		status_is $usage luo_run --session a/b true &&
		status_is $usage luo_run --session a:b true &&
		status_is $usage luo_run --session '' true &&
		status_is $usage luo_run --session "$(printf '%51s' x | tr ' ' x)" true &&
		status_is $usage luo_run --nonsense true &&
		status_is $usage luo_run --directory "/$(printf '%100s' x | tr ' ' x)" true &&
		status_is 126 luo_run /etc/passwd &&
		status_is 127 luo_run there-is-no-such-program &&
		status_is 0 luo_run --session "$(printf '%50s' x | tr ' ' x)" true &&
		status_is 0 luo_run --help
}

wrong_command() {
	run w -- memfd x one barrier &&
		status_is 127 luo_run --session w there-is-no-such-program &&
		same "$(run w -- show | cut -d ' ' -f 2)" x
}

# start SESSION WORD...: runs it in the background, until it has said that it is ready. The
# words have "show" among them.
start() {
	local session=$1 tries=0
	shift
	: >"$dir/out"
	"$dir/luo-run" --directory "$dir/run" \
		--session "$session" -- "$dir/fdstore" "$@" >"$dir/out" 2>"$dir/err" &
	started=$!
	until [[ -s $dir/out ]]; do
		((++tries < 100)) || { echo "it does not start"; cat "$dir/err"; return 1; }
		sleep 0.1
	done
}

last_words() {
	local status=0
	start l show wait memfd late word exit 3 || return
	kill -TERM "$started"
	wait "$started" || status=$?
	same "$(cat "$dir/out") $status" "nothing
signal 15 3" && same "$(run l -- show | cut -d ' ' -f 2)" late
}

in_use() {
	local wrong=''
	start u memfd x one barrier show wait || return
	same "$(run u -- show memfd y two barrier)" nothing || wrong=yes
	said "session u is in use by process $started$" || wrong=yes
	said "'y' is not kept" || wrong=yes
	status_is 124 run u --require -- show || wrong=yes
	status_is 125 luo_run --drop u || wrong=yes
	kill "$started"
	wait "$started"
	[[ -z $wrong ]] && same "$(run u -- show | cut -d ' ' -f 2)" x
}

required() {
	[[ -e /dev/liveupdate ]] && return
	same "$(run r --require -- show)" '' && said "fdstore is not started"
}

dropped() {
	run d -- memfd x one barrier && luo_run --drop d 2>/dev/null &&
		same "$(run d -- show)" nothing
}

# The process of a keeper. It is called so that systemd does not kill it.
keeper_of() {
	pgrep -f "^@luo-run .*$dir/run .*--keep $1\$"
}

keeper_killed() {
	local status=0
	start k show wait memfd x one memfd y two barrier exit 4 || return
	kill -KILL "$(keeper_of k)"
	kill -USR1 "$started"
	wait "$started" || status=$?
	same "$status" 4 && said "session k: its keeper is gone" &&
		said "'x' is not kept" && said "'y' is not kept" &&
		same "$(run k -- show)" nothing
}

many() {
	(ulimit -Sn 100; run m -- many f 700 barrier) &&
		same "$(run m -- show | awk '$4 == "size=4096" && $2 == $7 && $2 == "f" $1' | wc -l)" 700 &&
		same "$(run m -- many g 400 barrier >/dev/null; grep -c 'there are 1024 files' "$dir/err")" 76
}

# listener COMMAND...: runs it with a socket for its messages, which it prints
listener() {
	python3 -B - "$dir/notify" "$@" <<'END'
import array, os, socket, subprocess, sys

to = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
if os.path.exists(sys.argv[1]):
    os.unlink(sys.argv[1])
to.bind(sys.argv[1])
it = subprocess.Popen(sys.argv[2:], env={**os.environ, 'NOTIFY_SOCKET': sys.argv[1]})
to.settimeout(0.2)
while True:
    try:
        text, fds, _, _ = socket.recv_fds(to, 4096, 4)
    except TimeoutError:
        if it.poll() is not None:
            break
        continue
    print(text.decode().replace('\n', '|'), len(fds))
    for fd in fds:
        os.close(fd)
END
}

forwarded() {
	same "$(listener "$dir/luo-run" --directory "$dir/run" --session f -- "$dir/fdstore" \
		notify READY=1 memfd x one notify $'STATUS=two\nFDSTOREREMOVE=1\nFDNAME=x\nX_FOO=1' \
		notify FDPOLL=1 notify MAINPID=1 barrier notify STOPPING=1 2>/dev/null)" \
"READY=1 0
STATUS=two|X_FOO=1 0
BARRIER=1 1
STOPPING=1 0"
}

passed_on() {
	local out
	run p -- memfd x one barrier || return
	out=$(
		exec 3<"$root/COPYING"
		export LISTEN_FDS=1 LISTEN_FDNAMES=socket
		# shellcheck disable=SC2016 # for that shell
		sh -c 'LISTEN_PID=$$ exec "$@"' sh "$dir/luo-run" --directory "$dir/run" --session p -- \
			"$dir/fdstore" show 2>/dev/null
	)
	same "$(grep -oE '^[01] .* memfd' <<<"$out" | xargs)" "0 socket memfd 1 x memfd" || return
	# What another process was started with is not ours.
	out=$(LISTEN_FDS=1 LISTEN_PID=1 LISTEN_FDNAMES=socket run p -- show)
	same "$(cut -d ' ' -f 1-2 <<<"$out")" "0 x"
}

watchdog() {
	# shellcheck disable=SC2016 # for those shells
	sh -c 'WATCHDOG_PID=$$ exec "$@"' sh "$dir/luo-run" --directory "$dir/run" --session w -- \
		sh -c '[ $WATCHDOG_PID = $$ ]' 2>/dev/null
}

background() {
	local status=0
	# shellcheck disable=SC2016 # for that shell
	luo_run --session b sh -c '(sleep 0.5; '"$dir"'/fdstore memfd late one barrier; exit 5) &
		'"$dir"'/fdstore notify MAINPID=$! barrier' 2>/dev/null || status=$?
	same $status 5 && same "$(run b -- show | cut -d ' ' -f 2)" late
}

stranger() {
	local socket wrong=''
	[[ $(id -u) == 0 ]] || return 0
	chmod 755 "$dir"
	start s show wait barrier || return
	socket=$(echo "$dir"/run/s.*.notify)
	NOTIFY_SOCKET=$socket setpriv --reuid 65534 --regid 65534 --clear-groups \
		"$dir/fdstore" memfd evil one || wrong=yes
	kill "$started"
	wait "$started"
	[[ -z $wrong ]] && said "a message of process [0-9]*, which is not of the service, is ignored" &&
		same "$(run s -- show)" nothing &&
		run s -- memfd x one barrier &&
		luo_run --session s setpriv --reuid 65534 --regid 65534 --clear-groups \
			"$dir/fdstore" memfd y two barrier 2>/dev/null &&
		same "$(run s -- show | cut -d ' ' -f 2 | xargs)" "x y"
}

bad_names() {
	run v -- memfd a:b one memfd "with blank" two barrier && said "a name that is not valid" &&
		same "$(run v -- show | cut -d ' ' -f 2-3)" "stored memfd
with blank"
}

# A pipe that the keeper has open would keep the shell waiting.
no_output() {
	timeout 10 bash -c '"$@" 2>&1 | cat >/dev/null' bash "$dir/luo-run" --directory "$dir/run" \
		--session o true
}

no_descriptors() {
	local links
	exec 9<"$root/COPYING"
	run c -- show >/dev/null
	exec 9<&-
	links=$(ls -l "/proc/$(keeper_of c)/fd") || return
	! grep -E 'COPYING' <<<"$links" && grep -q socket <<<"$links"
}
