# SPDX-License-Identifier: GPL-2.0-only
#
# demo.sh - the guest's part of host/vm/demo.sh: a program keeps a file of the host
#
# The file is /demo in the first kernel's root file system only. A program there copies
# it into a memfd, which it puts into a session of live update. In the second kernel
# another program takes the memfd out of that session. The host reads the lines
# "kho-demo: stage N NAME VALUE".
#
# shellcheck shell=dash disable=SC2034,SC2154

about="a file of the host, in the memory of a program, from one kernel into another"
kernels="main next"
words="liveupdate=on"
stages=2
plan=9

readonly TOKEN=1

stage_1() {
	start_agent first
	check "a program has the file in a memfd" copy_demo
	check "it puts the memfd into a session" all first "create session demo
		preserve session $TOKEN memory"
	tell release "$(uname -r)"
	remember sum "$(checksum first)"
	tell sum "$(recall sum)"
	rm /demo
	note_down
	handover next "$LUO_ON"
}

stage_2() {
	local sum
	check "there is an incoming handover" came_from "$(recall release)" 1
	check "the first kernel's copy of the file is not here" test ! -e /demo
	start_agent second
	check "another program retrieves the session" ask second retrieve session demo
	check "it takes the memfd" ask second take session $TOKEN memory
	sum=$(checksum second)
	tell release "$(uname -r)"
	tell sum "$sum"
	tell bytes "$(figure_of second memory size)"
	tell pages "$(figure_of second memory blocks)"
	check "the content is right" same checksum "$sum" "$(recall sum)"
	check "the session can be finished" ask second finish session
	check "nothing waits any more" nothing_waits
	finish
}

copy_demo() {
	ask first memfd memory && cat /demo >"$(proc_path first memory fd)"
}

# checksum PROGRAM: prints the checksum of the program's memfd.
checksum() {
	sha256sum "$(proc_path "$1" memory fd)" | cut -d ' ' -f 1
}

tell() {
	echo "kho-demo: stage $kho_stage $*"
}
