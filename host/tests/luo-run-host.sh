# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs tools/luo-run on the host, and tests what needs no kexec: the messages of a service, the
# files that it gets back when it is started again, how luo-run ends, and its list of files.
# luo-run is compiled with sanitizers. The host need not have /dev/liveupdate. What a keeper
# does when calls of the kernel fail is tested with session_fake.c in place of session.c.

about="luo-run on the host: a store for file descriptors, without a kexec"
kernels=

host_test() {
	local dir luo runs
	local -x ASAN_OPTIONS=verify_asan_link_order=0

	# A path of a socket has at most 107 bytes.
	dir=$(mktemp -d)
	luo=$dir/luo-run
	runs=$dir/run
	echo "1..53"
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
	result "a pipe whose other end is closed goes, if that is wanted" hung_up
	result "a keeper that has ended is missed at once" keeper_missed
	result "a keeper has descriptors for all that it takes" few_descriptors
	result "a service whose luo-run was killed has to end before the next one" left_service
	result "luo-run passes on signals while its keeper does not answer" keeper_stopped
	result "two that start a keeper at the same time both find it" start_race
	result "strangers cannot fill the log, and sockets of the dead are removed" many_strangers
	result "a service finds FDSTORE, and signals as luo-run has found them" surroundings
	result "a keeper that would end with the unit is no keeper for --require" inside_unit

	result "fake: files come in, and go out again" fake handed_over
	result "fake: a keeper that ends before it was asked costs nothing" fake unused_keeper
	result "fake: a file that cannot be had now waits, and is there later" fake later_file
	result "fake: a list that cannot be had now waits, and is there later" fake later_list
	result "fake: a list of another version waits until it is dropped" fake later_version
	result "fake: what is damaged is given up, but not with --require" fake damaged_list
	result "fake: a device that is in use is asked once and not for each file" fake busy_device
	result "fake: no kexec while a file cannot be preserved for now" fake later_session
	result "fake: a file that cannot be preserved for now is later" fake later_store
	result "fake: memory is brought again if that has failed" fake finish_again
	result "fake: a file that is removed is not waited for" fake removed_meanwhile
	result "fake: a file that could not be handed over is lost" fake not_preserved
	result "fake: an empty list waits for nobody" fake empty_list
	result "fake: a list that cannot be had is dropped" fake dropped_arrival
	stop_keepers
	rm -rf "$dir"
}

compile() {
	local flags=(-std=gnu11 -Wall -Wextra -Werror -D_GNU_SOURCE -idirafter "$root/include/uapi")
	local program
	local sanitize="-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all"

	make -s -C "$root/tools/luo-run" OUT="$dir" CFLAGS="-Werror $sanitize \
		-DSYSTEMD_DIRECTORY='\"$dir/systemd\"' -DCGROUP_FILE='\"$dir/cgroup\"'" || return
	mkdir "$dir/fake"
	make -s -C "$root/tools/luo-run" OUT="$dir/fake" SESSION=session_fake.c \
		CFLAGS="-Werror $sanitize" || return
	# shellcheck disable=SC2086 # words
	gcc "${flags[@]}" $sanitize -o "$dir/list_test" "$root"/tools/luo-run/list{_test,}.c &&
		gcc "${flags[@]}" -static -o "$dir/fdstore" \
			"$root/tools/testing/selftests/liveupdate/fdstore.c" || return
	for program in luo-run fdstore list_test; do
		[[ -x $dir/$program ]] || return
	done
}

# run SESSION OPTION... -- WORD...: runs a service, fdstore, which does what these words say,
# and prints its output
run() {
	local options=()
	while [[ $1 != -- ]]; do
		options+=("$1")
		shift
	done
	shift
	timeout 20 "$luo" --directory "$runs" \
		--session "${options[@]}" -- "$dir/fdstore" "$@" 2>"$dir/err"
}

# luo_run WORD...: runs luo-run with these words
luo_run() {
	timeout 20 "$luo" --directory "$runs" "$@"
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

# said PATTERN: has luo-run printed a line that matches?
said() {
	grep -qE "$1" "$dir/err" || { echo "no /$1/ in:"; cat "$dir/err"; return 1; }
}

stop_keepers() {
	local session
	for session in "$runs"/locks/*; do
		luo_run --drop "${session##*/}" 2>/dev/null || true
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

# start SESSION WORD...: starts fdstore in the background, and waits until it has printed
# something. So "show" must be one of the words.
start() {
	local session=$1
	shift
	start_command "$session" "$dir/fdstore" "$@"
}

# start_command SESSION COMMAND...: the same, with COMMAND instead of fdstore
start_command() {
	local session=$1
	shift
	: >"$dir/out"
	"$luo" --directory "$runs" --session "$session" -- "$@" >"$dir/out" 2>"$dir/err" &
	started=$!
	later test -s "$dir/out" || { echo "it does not start"; cat "$dir/err"; return 1; }
}

# later COMMAND...: waits until COMMAND succeeds
later() {
	local tries=0
	until "$@" >"$dir/later"; do
		((++tries < 100)) || { cat "$dir/later"; return 1; }
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

# keeper_of SESSION: prints the pid of its keeper. The name of the process begins with '@', so
# that systemd does not kill it.
keeper_of() {
	pgrep -f "^@luo-run .*$runs .*--keep $1\$"
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

# listener COMMAND...: runs COMMAND with a NOTIFY_SOCKET, and prints the messages sent there
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
	same "$(listener "$dir/luo-run" --directory "$runs" --session f -- "$dir/fdstore" \
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
		sh -c 'LISTEN_PID=$$ exec "$@"' sh "$dir/luo-run" --directory "$runs" --session p -- \
			"$dir/fdstore" show 2>/dev/null
	)
	same "$(grep -oE '^[01] .* memfd' <<<"$out" | xargs)" "0 socket memfd 1 x memfd" || return
	# LISTEN_FDS that are for another process, as LISTEN_PID says, are not ours.
	out=$(LISTEN_FDS=1 LISTEN_PID=1 LISTEN_FDNAMES=socket run p -- show)
	same "$(cut -d ' ' -f 1-2 <<<"$out")" "0 x"
}

watchdog() {
	# shellcheck disable=SC2016 # for those shells
	sh -c 'WATCHDOG_PID=$$ exec "$@"' sh "$dir/luo-run" --directory "$runs" --session w -- \
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
	socket=$(echo "$runs"/services/s.*)
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

# If the keeper had the pipe open, "cat" and the shell would wait for ever.
no_output() {
	timeout 10 bash -c '"$@" 2>&1 | cat >/dev/null' bash "$dir/luo-run" --directory "$runs" \
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

hung_up() {
	start hup polled p memfd x one pipe q barrier show wait close wait barrier || return
	same "$(run hup -- show)" nothing
	kill -USR1 "$started"
	later grep -q "signal 10" "$dir/out" || return
	kill -USR1 "$started"
	wait "$started" || return
	same "$(run hup -- show | cut -d ' ' -f 1-3)" "0 x memfd
1 q pipe"
}

keeper_missed() {
	local wrong=''
	start miss show wait || return
	kill -KILL "$(keeper_of miss)"
	later said "session miss: its keeper is gone" || wrong=yes
	kill "$started"
	wait "$started"
	[[ -z $wrong ]]
}

few_descriptors() {
	local wrong='' keeper
	(ulimit -n 40; exec "$luo" --directory "$runs" --keep few 2>"$dir/keeper") &
	keeper=$!
	later test -S "$runs/keepers/few" || return
	run few -- many f 6 barrier || wrong=yes
	said "'f4' is not kept: there are 4 files" || wrong=yes
	same "$(run few -- show | wc -l)" 4 || wrong=yes
	grep -q "descriptors for 4 files only" "$dir/keeper" || wrong=yes
	luo_run --drop few || wrong=yes
	wait "$keeper" && [[ -z $wrong ]]
}

# A service that has changed its user gets no death signal when luo-run ends.
left_service() {
	local wrong='' service next
	[[ $(id -u) == 0 ]] || return 0
	chmod 755 "$dir"
	start_command left setpriv --reuid 65534 --regid 65534 --clear-groups \
		"$dir/fdstore" memfd x one barrier show wait || return
	service=$(pgrep -P "$started")
	kill -KILL "$started"
	wait "$started" 2>/dev/null
	kill -0 "$service" || return
	"$luo" --directory "$runs" --session left -- "$dir/fdstore" show \
		>"$dir/out" 2>"$dir/err" &
	next=$!
	later said "session left: process $service, which has its files, has to end first" ||
		wrong=yes
	[[ ! -s $dir/out ]] || wrong=yes
	kill "$service"
	wait "$next" || wrong=yes
	[[ -z $wrong ]] && same "$(cut -d ' ' -f 1-2 "$dir/out")" "0 x"
}

keeper_stopped() {
	local keeper wrong=''
	start stop show wait memfd x one wait || return
	keeper=$(keeper_of stop)
	kill -STOP "$keeper"
	kill -USR1 "$started"
	later grep -q "signal 10" "$dir/out" || wrong=yes
	sleep 0.3
	kill -TERM "$started"
	later grep -q "signal 15" "$dir/out" || wrong=yes
	kill -CONT "$keeper"
	wait "$started" || wrong=yes
	[[ -z $wrong ]] && same "$(run stop -- show | cut -d ' ' -f 2)" x
}

start_race() {
	local i wrong=''
	for i in 1 2 3 4; do
		luo_run --session race sh -c "until [ -e $dir/go ]; do sleep 0.1; done" \
			2>"$dir/race.$i" &
	done
	later eval "cat $dir/race.? | grep -c 'session race is in use' | grep -x 3" || wrong=yes
	touch "$dir/go"
	wait
	! grep -E "no keeper|has a keeper" "$dir"/race.? && [[ -z $wrong ]]
}

many_strangers() {
	local socket i wrong=''
	[[ $(id -u) == 0 ]] || return 0
	chmod 755 "$dir"
	start s show wait barrier || return
	socket=$(echo "$runs"/services/s.*)
	for i in {1..20}; do
		NOTIFY_SOCKET=$socket setpriv --reuid 65534 --regid 65534 --clear-groups \
			"$dir/fdstore" notify "X=$i" || wrong=yes
	done
	kill -KILL "$started"
	wait "$started" 2>/dev/null
	# luo-run prints one such line in 10 seconds.
	(($(grep -c 'is ignored' "$dir/err") < 10)) || wrong=yes
	[[ -S $socket ]] || wrong=yes
	run s -- show >/dev/null || wrong=yes
	[[ ! -e $socket && -z $wrong ]]
}

surroundings() {
	local ignored
	readonly PIPE=$((1 << 12))
	# shellcheck disable=SC2016 # for that shell
	same "$(luo_run --session sur sh -c 'echo $FDSTORE' 2>/dev/null)" 1024 || return
	ignored=$(trap '' PIPE
		luo_run --session sur grep SigIgn /proc/self/status 2>/dev/null)
	same $((0x${ignored##*[!0-9a-f]} & PIPE)) $PIPE || return
	ignored=$(trap - PIPE
		luo_run --session sur grep SigIgn /proc/self/status 2>/dev/null)
	same $((0x${ignored##*[!0-9a-f]} & PIPE)) 0
}

inside_unit() {
	local wrong=''
	mkdir "$dir/systemd"
	echo "0::/user.slice/user-0.slice" >"$dir/cgroup"
	run unit1 --require -- show >/dev/null
	said "files end with" >/dev/null && wrong=yes
	echo "0::/system.slice/cached.service/sub" >"$dir/cgroup"
	status_is 124 run unit2 --require -- show || wrong=yes
	said "session unit2: without luo-keep@unit2.service, files end with cached.service" ||
		wrong=yes
	keeper_of unit2 && wrong=yes
	same "$(run unit2 -- show)" nothing || wrong=yes
	said "files end with cached.service" || wrong=yes
	# Now the session has a keeper.
	run unit2 --require -- show >/dev/null
	said "files end with" >/dev/null && wrong=yes
	rm -r "$dir/systemd"
	[[ -z $wrong ]]
}

# fake TEST: runs TEST with a directory in place of the kernel, see session_fake.c
fake() {
	local luo=$dir/fake/luo-run runs=$dir/fake.$1 status=0
	local -x LUO_FAKE=$dir/luo.$1
	mkdir -p "$LUO_FAKE"/{in,taken,out,fail}
	"$1" || status=$?
	stop_keepers
	return $status
}

# fails CALL.NAME [ERRNO]: lets CALL fail for session NAME; without ERRNO, no longer
fails() {
	if [[ ${2-} ]]; then
		echo "$2" >"$LUO_FAKE/fail/$1"
	else
		rm "$LUO_FAKE/fail/$1"
	fi
}

# The values of errno.h.
readonly EAGAIN=11 ENOMEM=12 EBUSY=16 EIO=5

# opened DIRECTORY: prints the sessions there that a process has open
opened() {
	local file
	for file in "$LUO_FAKE/$1"/*; do
		[[ ! -f $file || $file == *.file ]] || flock -n "$file" true || basename "$file"
	done | xargs
}

# goes_out NAMES: are these the outgoing sessions?
# came "OPEN|OTHERS": are these the incoming sessions that are open, and those that were not
# retrieved yet?
goes_out() {
	same "$(opened out)" "$1"
}

came() {
	local file
	same "$(opened taken)|$(for file in "$LUO_FAKE"/in/*; do
		[[ ! -f $file ]] || basename "$file"
	done | xargs)" "$1"
}

# kexec SESSION: turns its outgoing sessions into incoming ones, and kills its keeper.
kexec() {
	local name
	came "|" || return
	for name in $(opened out); do
		cat "$LUO_FAKE/out/$name.file" >"$LUO_FAKE/in/$name"
	done
	kill_keeper "$1"
	rm -f "$LUO_FAKE"/{out,fail,taken}/*
}

kill_keeper() {
	local keeper
	keeper=$(keeper_of "$1") || return
	kill -KILL "$keeper"
	later eval "! kill -0 $keeper 2>/dev/null || grep -q 'State:.Z' /proc/$keeper/status"
}

# shows NAMES SESSION OPTION...: is a service given files of these names?
shows() {
	local names=$1
	shift
	same "$(run "$@" -- show | cut -d ' ' -f 2 | xargs)" "$names"
}

# handed SESSION: hands over the files x and y, as from another kernel
handed() {
	run "$1" -- memfd x one memfd y two barrier && goes_out "$1 $1:1 $1:2" && kexec "$1"
}

handed_over() {
	handed h && came "|h h:1 h:2" &&
		same "$(run h --require -- show | cut -d ' ' -f 1,2,7)" "0 x one
1 y two" && later goes_out "h h:1 h:2" && later came "|" && [[ ! -s $dir/err ]] &&
		kexec h && shows "x y" h --require
}

unused_keeper() {
	handed u || return
	"$luo" --directory "$runs" --keep u 2>/dev/null &
	later test -S "$runs/keepers/u" || return
	kill -KILL $!
	wait $! 2>/dev/null
	came "|u u:1 u:2" && shows "x y" u --require
}

later_file() {
	handed f && fails take.f:2 $ENOMEM && status_is 124 run f --require -- show || return
	came "f f:1 f:2|" && shows x f && said "'y' cannot be had now, and waits: " || return
	later goes_out "f f:1" && came "f f:2|" && fails take.f:2 && shows "x y" f --require &&
		later goes_out "f f:1 f:2" && later came "|"
}

later_list() {
	handed l && fails retrieve.l $EAGAIN && status_is 124 run l --require -- show || return
	same "$(run l -- show memfd z three barrier)" nothing &&
		said "the files of the previous kernel wait: the list of them: " || return
	run l -- show >/dev/null
	came "|l l:1 l:2" && fails retrieve.l && shows "z x y" l --require &&
		later goes_out "l l:1 l:2 l:3" && later came "|"
}

later_version() {
	handed v && printf '\2' | dd of="$LUO_FAKE/in/v" bs=1 seek=8 conv=notrunc status=none
	printf '\2' | dd of="$LUO_FAKE/in/v" bs=1 seek=$((8 + 512 * 1024)) conv=notrunc status=none
	shows "" v --require
	same "$(run v -- show)" nothing && said "wait: the list of them: .* another version" &&
		shows nothing v || return
	came "v|v:1 v:2" && luo_run --drop v && came "|"
}

damaged_list() {
	handed d && printf x | dd of="$LUO_FAKE/in/d" bs=1 seek=2 conv=notrunc status=none
	printf x | dd of="$LUO_FAKE/in/d" bs=1 seek=$((2 + 512 * 1024)) conv=notrunc status=none
	status_is 124 run d --require -- show && came "d|d:1 d:2" &&
		same "$(run d -- show)" nothing && said "are lost: the list of them: " &&
		later came "|"
}

busy_device() {
	handed b && fails retrieve.b:1 $EAGAIN && same "$(run b -- show)" nothing || return
	came "b|b:1 b:2" && fails retrieve.b:1 && shows "x y" b --require &&
		later goes_out "b b:1 b:2" && later came "|"
}

later_session() {
	handed p && fails create.p:1 $ENOMEM && shows "x y" p --require &&
		later goes_out "p p:2" || return
	sleep 1.5
	came "p|" && fails create.p:1 && later goes_out "p p:1 p:2" && later came "|"
}

later_store() {
	fails preserve.s:1 $ENOMEM && run s -- memfd x one barrier || return
	said "'x' is kept for restarts and not over a kexec: .*, for now" && goes_out s &&
		fails preserve.s:1 && later goes_out "s s:1" && kexec s && shows x s --require
}

finish_again() {
	handed a && fails finish.a:1 $EBUSY && shows "x y" a --require || return
	pkill -KILL -P "$(keeper_of a)"
	sleep 1.5
	came "a a:1 a:2|" && goes_out a && fails finish.a:1 &&
		later goes_out "a a:1 a:2" && later came "|"
}

removed_meanwhile() {
	handed r && fails finish.r:1 $ENOMEM && shows "x y" r --require &&
		run r -- remove x memfd z three barrier && later goes_out "r r:1 r:2" &&
		later came "|" && shows "y z" r --require &&
		run r -- remove z memfd w four barrier && goes_out "r r:1 r:2"
}

not_preserved() {
	fails preserve.n:2 $ENOMEM && run n -- memfd x one memfd y two barrier && kexec n &&
		status_is 124 run n --require -- show && shows x n &&
		said "'y' was not handed over: " && shows x n --require
}

empty_list() {
	run e -- memfd x one barrier remove x barrier && goes_out e && kexec e && came "|e" &&
		status_is 127 luo_run --session e there-is-no-such-program && later came "|"
}

dropped_arrival() {
	handed x && fails retrieve.x $EIO && status_is 124 run x --require -- show &&
		came "|x x:1 x:2" && fails retrieve.x && luo_run --drop x && came "|"
}
