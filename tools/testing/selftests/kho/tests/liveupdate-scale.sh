# SPDX-License-Identifier: GPL-2.0-only
#
# Many sessions with one file each, and one session with many files. A call for the last of
# them takes as long as one for the first.
#
# host/vm/test.sh liveupdate-scale:luo_sessions=100000 makes more sessions.
#
# shellcheck shell=dash

luo_sessions=${luo_sessions:-10000}
luo_files=${luo_files:-100000}
about="$luo_sessions sessions, and a session of $luo_files files"
kernels="main next"
words="liveupdate=on luo_sessions=$luo_sessions luo_files=$luo_files"
mem=3G
# Time counts instructions, so that it does not depend on how busy the host is.
qemu="-icount shift=0,sleep=off,align=off"
pages=4k
stages=2
plan=15
limit=420

stage_1() {
	local said

	start_agent keeper
	start_agent other
	measure "many sessions can be made" keeper many-sessions scale "$luo_sessions"
	check "a session with many files can be made" all other "create s many"
	measure "many files can be preserved" other many-files s "$luo_files"
	note_down
	handover next "$words"
}

stage_2() {
	check "no memory is lost" arrived 1
	start_agent heir
	start_agent other
	measure "all sessions can be retrieved" heir retrieve-sessions scale "$luo_sessions"
	measure "all files are right" heir end-sessions
	check "the session with many files can be retrieved" ask other retrieve s many
	measure "its files are right" other take-files s "$luo_files"
	check "it can be finished" ask other finish s
	check "nothing waits any more" nothing_waits
	finish
}

# measure WHAT AGENT COMMAND...: the command works, and the time that it takes is
# proportional to the number of sessions or files.
measure() {
	local what="$1"
	shift

	check "$what" eval "ask $* >/tmp/said || { cat /tmp/said; false; }"
	note "$(cat /tmp/said)"
	check "the last ones as fast as the first ones" proportional "$(cat /tmp/said)"
}
