# SPDX-License-Identifier: GPL-2.0-only
#
# A kexec that would lose files of sessions is refused, and the log says why: if the loaded
# kernel would not take the files, and if incoming files have not been finished.
#
# shellcheck shell=dash

about="a kexec that would lose files of sessions is refused"
kernels="main next"
words="liveupdate=on"
stages=3
plan=21
expect="LUO: kexec refused|KHO: what is preserved will be lost"

stage_1() {
	start_agent keeper
	pack_initrd
	check "without files any image will do" loads next kho=off
	check "a session can be made" all keeper "create s service
		memfd a
		size a $((20 * PAGE_SIZE))
		write a 3 0 10
		preserve s 1 a"
	refused_for "a command line without liveupdate=on" \
		"its command line has no liveupdate=on" next quiet
	refused_for "a command line with liveupdate=off" \
		"its command line has no liveupdate=on" next "$LUO_ON liveupdate=off"
	refused_for "a command line with kho=off" \
		"its command line switches KHO off" next "$LUO_ON kho=off"
	refused_for "a command line with a kho= that the next kernel cannot parse" \
		"its command line has no kho=on" next "$LUO_ON kho=enabled"
	case $(uname -m) in
	x86_64)
		make_old_kernel
		refused_for "a kernel that does not know KHO" \
			"its kernel does not know KHO" old $LUO_ON
		rm /boot/old
		;;
	*)
		ktap_test_skip "- a kernel that does not know KHO"
		ktap_test_skip "- the log says why"
		;;
	esac
	check "the session is still there" says service ask keeper name s
	check "the file can be written to" all keeper "write a 3 10 10
		check a 3 0 20"
	handover next $LUO_ON
}

stage_2() {
	check "there is an incoming handover" came_in 1
	refused_for "files that nobody has asked for" \
		"1 files in unfinished .*, the first in session service: finish these sessions" \
		next $LUO_ON
	start_agent heir
	check "the file is right" all heir "retrieve s service
		take s 1 a
		check a 3 0 20"
	check "a kexec is refused until the session is finished" \
		refused "kexec_load: kexec: error 16" kexec_load exec
	check "the session can be finished" ask heir finish s
	handover main $LUO_ON
}

stage_3() {
	start_agent heir
	check "no session came in" nothing_came_in heir service
	finish
}

# Makes a kernel whose kernel_info says that it knows setup_data of the types up to 9 and
# SETUP_INDIRECT, and not type 10, which is that of KHO.
make_old_kernel() {
	local setup info

	cp /boot/next /boot/old
	setup=$(od -A n -t u1 -j 497 -N 1 /boot/old)
	info=$(od -A n -t u4 -j 616 -N 4 /boot/old)
	printf '\011\000\000\200' |
		dd of=/boot/old bs=1 conv=notrunc \
			seek=$(((setup + 1) * 512 + info + 12)) 2>/dev/null
}

loads() {
	load_kernel load "$@" && kexec_load unload
}

# refused_for WHAT PATTERN KERNEL WORDS: a kexec into KERNEL with WORDS is refused, and a
# line of the log matches PATTERN.
refused_for() {
	check "refused: $1" refused_load "$3" "$4"
	check "the log says why" has_said "LUO: kexec refused: .*$2; liveupdate.force=1 overrides"
	dmesg -c >/dev/null
}

refused_load() {
	load_kernel load "$@" || return
	kexec_load exec 2>&1 | grep -qxE 'kexec_load: kexec: error (8|16)'
}
