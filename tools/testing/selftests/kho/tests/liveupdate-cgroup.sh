# SPDX-License-Identifier: GPL-2.0-only
#
# The pages of a file count for the memory cgroup of the process that retrieves it. If the
# group reaches its limit, no page is lost: FINISH fails, and works when the limit is
# raised.
#
# shellcheck shell=dash

about="a file that is taken in a memory cgroup with a limit"
kernels="main next"
words="liveupdate=on"
stages=2
plan=20
expect="Memory cgroup out of memory|oom-kill|invoked oom-killer|Call Trace|Mem-Info|out_of_memory"

readonly GROUPS_DIR=/tmp/cgroup
readonly GROUP=$GROUPS_DIR/taker
readonly MIB=$((1048576 / PAGE_SIZE))
readonly PAGES=$((64 * MIB))

stage_1() {
	start_agent keeper
	check "a file can be preserved" all keeper "create s group
		memfd a
		write a 5 0 $PAGES
		preserve s 1 a"
	handover next "$words"
}

stage_2() {
	check "there is an incoming handover" came_in 1
	check "there is a group with a limit" make_group
	start_agent heir
	check "the session can be retrieved" ask heir retrieve s group
	start_agent taker
	check "an agent is in the group" eval "agent_pid taker >$GROUP/cgroup.procs"
	check "it has the session" share heir s taker
	# Soon the pages of the file take all that the group may have.
	check "it has the memory that it needs itself" all taker "memfd w
		write w 1 0 1
		check w 1 0 1
		where w
		close w"
	check "it can take the file" ask taker take s 1 a
	check "its first pages are right" ask taker check a 5 0 $((8 * MIB))
	check "they count for the group" test "$(used_mib)" -ge 7
	check "debugfs says how many of them are there" later 50 populated_in_part \
		/sys/kernel/debug/liveupdate/incoming
	check "so does fdinfo of the session" populated_in_part "$(proc_path taker s fdinfo)"
	check "another one has the file as well" share taker a heir
	check "it cannot have all of them" beyond_limit
	check "to finish is more than the group may have" refused ENOMEM ask heir finish s
	check "to make huge pages of them is as well" cannot_collapse
	check "the file is still there" ask heir check a 5 0 $((4 * MIB))
	echo 256M >$GROUP/memory.max
	check "to finish works when the limit is raised" ask heir finish s
	check "each page is right" ask heir check a 5 0 $PAGES
	check "all of them count for the group" test "$(used_mib)" -ge 63
	finish
}

make_group() {
	mkdir -p $GROUPS_DIR && mount -t cgroup2 none $GROUPS_DIR || return
	echo +memory >$GROUPS_DIR/cgroup.subtree_control && mkdir $GROUP || return
	echo 32M >$GROUP/memory.max
}

# A process that reads more than the group may have gets ENOMEM, or is killed. It would also
# be killed if it read through a mapping.
beyond_limit() {
	local said

	! said=$(ask taker check a 5 0 $PAGES 2>&1) || { echo "it could read all"; return 1; }
	note "$said"
	case $said in
	*ENOMEM | *"has ended") ;;
	*) return 1 ;;
	esac
}

# All pages have to be there to collapse them. Where base pages are larger than 4 KiB, the
# file is smaller than a huge page.
cannot_collapse() {
	[ "$PAGE_SIZE" -ne 4096 ] || refused ENOMEM ask heir collapse a $PAGES
}

# populated_in_part FILE: FILE says that the pages that were read are there, and at most as
# many as the group may have.
populated_in_part() {
	local there line="token 0x1 .* state retrieved populated"

	there=$(sed -n "s/.*$line \([0-9]*\) of $PAGES pages$/\1/p" "$1")
	if [ "${there:-0}" -lt $((8 * MIB)) ] || [ "$there" -gt $((32 * MIB)) ]; then
		cat "$1"
		return 1
	fi
}

used_mib() {
	echo $(($(cat $GROUP/memory.current) >> 20))
}
