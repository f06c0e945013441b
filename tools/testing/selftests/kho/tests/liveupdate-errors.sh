# SPDX-License-Identifier: GPL-2.0-only
#
# Each error of each ioctl of live update, and which of two errors comes first: for
# sessions that are made here, and for an incoming one.
#
# shellcheck shell=dash

about="each documented error of live update"
kernels="main next"
words="liveupdate=on"
stages=2
plan=136

stage_1() {
	tap luo errors
	start_agent keeper
	check "no error has left a session" nothing_came_in keeper kept
	check "a session can be made" all keeper "create s kept
		memfd a
		write a 1 0 10
		preserve s 1 a
		memfd b
		write b 1 0 10
		preserve s 2 b"
	handover "$(last_kernel)" "$LUO_ON"
}

stage_2() {
	tap luo errors kept
	check "nothing waits any more" nothing_waits
	finish
}
