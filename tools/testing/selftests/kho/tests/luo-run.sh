# SPDX-License-Identifier: GPL-2.0-only
#
# tools/luo-run runs services, under three kernels. fdstore.c of ../liveupdate is such a
# service. host/tests/luo-run-host.sh tests on the host what needs no kexec.
#
# shellcheck shell=dash disable=SC2034

about="luo-run: what a service stores outlives the kernel, with names and order"
kernels="debug"
machines=x86
words="liveupdate=on hugepages=2"
programs="luo-run fdstore"
stages=3
limit=180
plan=61
expect="LUO: kexec refused"

readonly HUGE_ON=hugepages=2

stage_1() {
	begin
	check "wrong words are refused" status_is 125 luo-run --session a/b true
	mv $LUO_DEVICE /dev/hidden
	check "without the device a service is started" stores none memfd x one
	check "this is said" told "session none: nothing can be kept over a kexec: there is no"
	check "the file is named" told "'x' is kept for restarts and not over a kexec"
	check "the service gets it when it is started again" gives none "0 x memfd one"
	check "with --require it is not started" status_is 124 \
		luo-run --session none --require fdstore show
	mv /dev/hidden $LUO_DEVICE
	check "it is kept as soon as there is a device" \
		eval 'run none fdstore show && sessions_are "none none:1"'
	check "the session can be given up" luo-run --drop none
	check "it is" sessions_are nothing

	check "a service can store files" stores service memfd cache one sealed config two \
		memfd gone three sparse big four pipe log memfd cache five remove gone
	check "a file that the kernel does not take is named" \
		told "session service: 'log' is kept for restarts .*: the kernel does not hand over"
	check "nothing else is said" same lines "$(wc -l </tmp/told)" 1
	check "the others are in sessions" \
		sessions_are "service service:1 service:2 service:4 service:6"
	readonly BEFORE="0 cache memfd one
1 config memfd two
2 big memfd four
3 log pipe
4 cache memfd five"
	check "they are given to the service that is started again" gives service "$BEFORE"
	check "also if it was killed" status_is 137 luo-run --session service fdstore kill 9
	check "and if it wants all of them" gives service "$BEFORE" --require
	check "what is written later" stores service write 0 ONE
	check "a service that is killed with luo-run" killed_service
	check "its files are still in sessions" sessions_are \
		"service service:1 service:2 service:4 service:6"
	check "a file takes the place of one that is gone" stores service memfd late six
	check "another service has a session" stores other memfd x seven
	check "a session of live update is no file to keep" stores other session s
	check "this is said" told "session other: 's' is not kept: a session of live update"
	check "a service can store hugetlb pages" stores pages huge h eight
	check "they can be handed over" test ! -s /tmp/told
	note_down
	handover debug $LUO_ON $HUGE_ON
}

# The files that later stages expect. The pipe was not handed over.
readonly AFTER="0 cache memfd ONE
1 config memfd two
2 big memfd four
3 cache memfd five
4 late memfd six"

stage_2() {
	begin
	check "no memory is lost" arrived 1
	check "no kexec before the services are started" refused_kexec
	check "a keeper that is killed before it was asked has nothing to lose" unused_keeper
	exec 9<>$LUO_DEVICE
	check "a service can be started while the device is in use" gives service nothing
	exec 9>&-
	check "this is said" told "session service: the files of the previous kernel wait: .*"
	check "no kexec now" refused_kexec
	check "a command that does not exist gives nothing up" status_is 127 \
		luo-run --session service nothing-of-that-name
	check "the service gets its files back" gives service "$AFTER" --require
	check "what was not handed over is named" \
		told "'log' was not handed over: the kernel does not"
	check "this is said once" gives service "$AFTER" --require
	check "nothing else is said" test ! -s /tmp/told
	check "they are in sessions again" later 50 sessions_are \
		"service service:1 service:2 service:3 service:4 service:6"
	check "no kexec before the other service is started" refused_kexec
	check "hugetlb pages come back" gives pages "0 h memfd eight"
	check "a session that nobody wants can be given up" luo-run --drop other
	check "nothing waits any more" later 50 nothing_waits
	check "they are files like any others" stores service remove big memfd more seven
	check "seals are kept" status_is 9 luo-run --session service fdstore write 1 x
	check "a service can store a sparse file" stores holes sparse s eight

	# The list of the service "lack" will be there, and one of its files will not.
	check "a service can store files" stores lack memfd x one memfd y two memfd z three
	start_agent thief
	check "somebody else keeps its sessions" all thief "import list $(session_of lack)
		import one $(session_of lack:1)
		import three $(session_of lack:3)"
	kill -KILL "$(keeper_of lack)"
	# The list of the service "bad" is damaged.
	check "somebody makes sessions of that name" all thief "create s bad
		memfd a
		size a 1048576
		write a 3 0 2
		preserve s 1 a
		create t bad:1
		memfd b
		write b 3 0 2
		preserve t 1 b"
	handover debug $LUO_ON $HUGE_ON
}

stage_3() {
	begin
	check "the third kernel has files of two before" came_in 2
	check "the service gets its files back" gives service "0 cache memfd ONE
1 config memfd two
2 cache memfd five
3 late memfd six
4 more memfd seven"
	check "the sparse file takes no more memory than before" gives holes "0 s memfd eight"
	check "it has holes" same KiB "$(sed 's/.*kib=\([0-9]*\).*/\1/' /tmp/shown)" 4
	check "a service that needs a lost file is not started" status_is 124 \
		luo-run --session lack --require fdstore show
	check "its name is said" told "session lack: 'y' is lost: it was not handed over"
	check "the others can still be had" gives lack "0 x memfd one
1 z memfd three"
	check "a damaged list is reason not to start as well" status_is 124 \
		luo-run --session bad --require fdstore show
	check "the service is started without its files" gives bad nothing
	check "this is said" \
		told "session bad: the files of the previous kernel are lost: .*: it is no list"
	check "it can store files" stores bad memfd x one
	check "hugetlb pages can be given up" luo-run --drop pages
	check "the pool has them" grep -qx 'HugePages_Free: *2' /proc/meminfo
	check "nothing waits any more" later 50 nothing_waits
	finish
}

# luo-run has its sockets in /run. What is mounted there does not get into the next initrd.
begin() {
	mkdir -p /run
	mount -t tmpfs none /run
}

# run SESSION WORD...: the output of the service goes to /tmp/shown, that of luo-run to
# /tmp/told.
run() {
	local session="$1"
	shift
	luo-run --session "$session" "$@" >/tmp/shown 2>/tmp/told
}

# status_is STATUS COMMAND...: the command ends with this status.
status_is() {
	local status=0 should="$1"
	shift
	"$@" >/tmp/shown 2>/tmp/told || status=$?
	same status $status "$should"
}

# stores SESSION WORD...: fdstore does these things as the service of this session.
stores() {
	local session="$1"
	shift
	run "$session" fdstore "$@" barrier || { cat /tmp/told; return 1; }
}

# gives SESSION LINES [OPTION]: luo-run gives these files to a service of this session.
gives() {
	# shellcheck disable=SC2086 # no option or one
	run "$1" ${3-} fdstore show || { cat /tmp/told; return 1; }
	same files "$(sed 's/size=.* seals=[0-9a-f]* //' /tmp/shown)" "$2"
}

# told PATTERN: luo-run has printed a line that matches PATTERN.
told() {
	grep -qE "^luo-run: .*$1" /tmp/told || { cat /tmp/told; return 1; }
}

# sessions_are NAMES: these are the outgoing sessions; "nothing" if there are none.
sessions_are() {
	local names
	names=$(sed -n 's/^session:[[:blank:]]*//p' /sys/kernel/debug/liveupdate/outgoing |
		sort | xargs)
	same sessions "${names:-nothing}" "$1"
}

refused_kexec() {
	load_kernel load debug $LUO_ON $HUGE_ON || return
	kexec_load exec 2>&1 | grep -qx 'kexec_load: kexec: error 16'
}

# A keeper that is killed before it was asked leaves the incoming sessions as they were.
unused_keeper() {
	local before
	before=$(cat /sys/kernel/debug/liveupdate/incoming)
	luo-run --keep service &
	later 50 test -S /run/luo-run/keepers/service || return
	kill -KILL $!
	wait $! || true
	[ -n "$before" ] && same incoming "$(cat /sys/kernel/debug/liveupdate/incoming)" "$before"
}

killed_service() {
	luo-run --session service fdstore show wait >/tmp/shown 2>/tmp/told &
	later 50 process_of "fdstore show wait" || return
	kill -KILL $!
	later 50 eval '! process_of "fdstore show wait"'
}

# process_of PATTERN: prints the PID of the process whose words match, or fails.
process_of() {
	local file
	for file in /proc/[0-9]*/cmdline; do
		tr '\0' ' ' <"$file" 2>/dev/null | grep -qE "^$1 \$" || continue
		basename "${file%/cmdline}"
		return
	done
	return 1
}

# keeper_of SESSION: prints the PID of the keeper of the session.
keeper_of() {
	process_of "@luo-run .*--keep $1"
}

# session_of NAME: prints the PID of the keeper that has the session, and its descriptor.
session_of() {
	local pid
	pid=$(keeper_of "${1%:*}")
	# The descriptors of a process are links.
	for link in /proc/"$pid"/fd/*; do
		[ "$(readlink "$link")" != "anon_inode:[luo_session] $1" ] ||
			echo "$pid ${link##*/}"
	done
}
