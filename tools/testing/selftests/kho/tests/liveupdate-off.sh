# SPDX-License-Identifier: GPL-2.0-only
#
# Live update is off in the second kernel: the incoming sessions wait there, and the log
# says so in one line. Their memory is free when root releases it. The third kernel gets no
# session.
#
# shellcheck shell=dash

about="liveupdate=off in the second kernel: sessions wait, and can be released"
kernels="main next"
words="liveupdate=on"
stages=3
plan=15

readonly PAGES=$((16777216 / PAGE_SIZE))

stage_1() {
	start_agent keeper
	check "a session can be made" all keeper "create s lost
		memfd a
		write a 3 0 $PAGES
		preserve s 1 a"
	check "a file of KHO can be kept" keep letter 1M
	note_down
	# Without this parameter, the kexec would be refused.
	echo 1 >/sys/module/liveupdate/parameters/force
	handover next liveupdate=off
}

stage_2() {
	local free

	check "no memory is lost" arrived 1
	check "there is no device" test ! -e $LUO_DEVICE
	check "the log says once what becomes of sessions" \
		same lines "$(dmesg | grep -c 'LUO: without liveupdate=on, .* are given up')" 1
	check "the pages wait" test "$(kho_stat in unclaimed_folios)" -gt "$PAGES"
	check "the file of KHO is intact" intact letter
	free=$(mem_free)
	check "root can release them" eval "echo 1 >$KHO/in/release"
	check "their memory is free" came_back "$free" $((PAGES * PAGE_SIZE))
	check "nothing waits any more" nothing_waits
	handover main $LUO_ON
}

stage_3() {
	check "there is an incoming handover" came_in 2
	start_agent heir
	check "no session came in" nothing_came_in heir lost
	check "the log has nothing about sessions" has_not_said 'LUO: .*session'
	check "the file of KHO is intact" intact letter
	check "nine tenths of the memory can be used" usable 90
	finish
}
