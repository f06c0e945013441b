# SPDX-License-Identifier: GPL-2.0-only
#
# Agents are killed in each phase of a live update: by SIGKILL while they preserve files,
# while their files are preserved, frozen or retrieved, and while they touch files or
# finish; and by the OOM killer, of the machine and of a memory cgroup, while pages come
# back. The memory that only the killed agent's session held is then free, and no other
# process loses anything.
#
# The test client has a file whose freeze takes four seconds.
#
# shellcheck shell=dash

about="agents are killed in each phase, also by the OOM killer"
kernels="main next"
words="liveupdate=on"
mem=1G
cpus=2
stages=2
plan=37
limit=180
expect="LUO: .*(cannot freeze|cannot be frozen)"
expect="$expect|[Oo]ut of memory|oom-kill|invoked oom-killer|Call Trace|Mem-Info|out_of_memory"

readonly CLIENT_DIR=/sys/kernel/debug/test_liveupdate
readonly GROUPS_DIR=/tmp/cgroup
# Most files have 32 MiB. A file of MANY pages takes a while to populate.
readonly PAGES=$((33554432 / PAGE_SIZE)) MANY=$((134217728 / PAGE_SIZE))

stage_1() {
	start_agent keeper
	check "there is a file" all keeper "memfd a
		size a $((2 * PAGES * PAGE_SIZE))
		write a 1 0 $PAGES"
	remember preserved "$(kho_stat out preserved_folios)"

	new_victim keeper a
	check "an agent can be killed that preserves a file over and over" killed victim \
		"create s x ; preserve s 1 a ; close s"
	given_up

	new_victim keeper a
	check "an agent can be killed that has preserved a file" has_ended victim \
		ask victim "create s x ; preserve s 1 a ; poke a 2 $PAGES 100 ; kill"
	given_up

	load_kernel load next "$words" || bail_out "the kernel cannot be loaded"
	remember free "$(mem_free)"
	new_victim keeper a
	check "an agent can have files that take long to freeze" all victim "memfd c
		write c 3 0 $PAGES
		create s x
		preserve s 1 a
		preserve s 2 c
		open-file t $CLIENT_DIR/new
		preserve s 3 t"
	start_agent waiter
	share keeper a waiter
	echo "freeze 4000" >$CLIENT_DIR/slow
	echo "freeze 1 5" >$CLIENT_DIR/fail
	check "it and one that waits for a page are killed meanwhile, and the kexec fails" \
		killed_while_frozen
	given_up
	check "the memory of the file that nobody else has is free" later 50 memory_is_back

	check "sessions for the next kernel can be made" make_sessions
	load_next next "$words"
	# By then the session "lonely" is frozen, so its agent waits for ever to end it.
	(sleep 1; kill -9 "$(agent_pid lonely)") &
	leave
}

stage_2() {
	local free

	check "there is an incoming handover" came_in 1
	start_agent heir
	check "the session whose agent was killed while it was frozen is there" all heir "
		retrieve l lonely
		take l 1 f
		check f 5 0 $PAGES
		finish l
		close l
		close f"

	free=$(mem_free)
	start_agent victim
	check "an agent can be killed that has taken a file" has_ended victim \
		ask victim "retrieve g given ; take g 1 f ; kill"
	check "nobody gets the session that it had alone" \
		later 50 refused ENOENT ask heir retrieve g given
	check "the memory of that is free" came_back "$free" $((PAGES * PAGE_SIZE))

	check "the other session can be retrieved" ask heir retrieve s service
	new_victim heir s
	check "an agent can be killed that touches pages while they come" killed victim \
		"take s 1 a ; peek a 1 0 $PAGES ; close a" 0.2
	check "nobody else has lost anything" all heir "take s 1 a
		check a 1 0 $PAGES
		zero a $PAGES $PAGES"

	check "there is a group with a limit" make_group
	new_victim heir s
	check "an agent is in the group" \
		eval "agent_pid victim >$GROUPS_DIR/victim/cgroup.procs"
	check "it is killed when it touches more pages than it may have" has_ended victim \
		ask victim "take s 2 b ; peek b 4 0 $PAGES"
	check "that was the OOM killer of the group" \
		has_said "Memory cgroup out of memory: Killed process .*luo"
	check "the file cannot be finished" refused ENOMEM ask heir finish s
	echo max >$GROUPS_DIR/victim/memory.max
	check "nobody else has lost anything" all heir "take s 2 b
		check b 4 0 $PAGES"

	new_victim heir s
	check "an agent takes a file when memory is short, and is killed" out_of_memory
	check "that was the OOM killer" has_said "[^p] [Oo]ut of memory: Killed process .*luo"
	check "nobody else has lost anything" all heir "take s 4 d
		check d 6 0 $PAGES"

	new_victim heir s
	check "a large file can be taken" ask heir take s 5 h
	check "an agent can be killed while it finishes the session" killed victim "finish s" 0.05
	check "the session can be finished" ask heir finish s
	check "nothing waits any more" nothing_waits
	check "the files are right" all heir "check a 1 0 $PAGES
		check b 4 0 $PAGES
		check d 6 0 $PAGES
		check h 7 0 $MANY"
	free=$(mem_free)
	check "they can be closed" all heir "close a
		close b
		close d
		close h
		close s"
	check "their memory is free" came_back "$free" $(((3 * PAGES + MANY) * PAGE_SIZE))
	finish
}

# new_victim OTHER LABEL: starts an agent that shares a file of the agent OTHER.
new_victim() {
	start_agent victim
	share "$1" "$2" victim
}

# The session has ended with its agent, so the keeper's file is not preserved any more.
given_up() {
	check "nothing is preserved then" later 50 nothing_preserved
	check "the file has no fixed size, and its content" all keeper "
		size a $((3 * PAGES * PAGE_SIZE))
		size a $((2 * PAGES * PAGE_SIZE))
		check a 1 0 $PAGES
		punch a $PAGES $PAGES"
}

nothing_preserved() {
	same "preserved folios" "$(kho_stat out preserved_folios)" "$(recall preserved)"
}

memory_is_back() {
	near MemFree "$(mem_free)" "$(recall free)" 8192
}

killed_while_frozen() {
	local pid

	refused "kexec_load: kexec: error 5" kexec_load exec >/tmp/exec 2>&1 &
	pid=$!
	sleep 1
	(has_ended waiter ask waiter poke a 9 $((PAGES + 500)) 1 >/tmp/waited && : >/tmp/ended) &
	sleep 0.5
	[ ! -f /tmp/ended ] || { echo "the file is not frozen"; return 1; }
	kill -9 "$(agent_pid waiter)" "$(agent_pid victim)"
	later 10 test -f /tmp/ended || { echo "it goes on waiting"; return 1; }
	kill -0 $pid || { echo "that was after the kexec"; return 1; }
	wait $pid || { cat /tmp/exec; return 1; }
}

make_sessions() {
	start_agent lonely
	all lonely "memfd f
		write f 5 0 $PAGES
		create s lonely
		preserve s 1 f" || return
	all keeper "create g given
		memfd f
		write f 5 0 $PAGES
		preserve g 1 f
		create s service
		preserve s 1 a
		memfd b
		write b 4 0 $PAGES
		preserve s 2 b
		memfd d
		write d 6 0 $PAGES
		preserve s 4 d
		memfd h
		write h 7 0 $MANY
		preserve s 5 h
		open-file t $CLIENT_DIR/new
		preserve s 3 t"
}

make_group() {
	mkdir -p $GROUPS_DIR && mount -t cgroup2 none $GROUPS_DIR || return
	echo +memory >$GROUPS_DIR/cgroup.subtree_control && mkdir $GROUPS_DIR/victim || return
	echo 16M >$GROUPS_DIR/victim/memory.max
}

# tail(1) takes all memory that is left. The OOM killer kills the agent first, and tail(1)
# next.
out_of_memory() {
	local pid status=0

	echo 1 >/proc/sys/vm/overcommit_memory
	echo 1000 >"/proc/$(agent_pid victim)/oom_score_adj"
	tail -c 3000000000 /dev/zero >/dev/null 2>&1 &
	pid=$!
	has_ended victim rounds victim 100000 "take s 4 d ; peek d 6 0 $PAGES ; close d" || status=1
	wait $pid
	return $status
}
