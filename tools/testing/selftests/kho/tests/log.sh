# SPDX-License-Identifier: GPL-2.0-only
#
# Each kernel reads the log of the previous kernel, up to the last line before the kexec,
# and as much as fits of the logs of earlier kernels. An invalid log is ignored, with one
# line, and nothing else is lost because of it.
#
# shellcheck shell=dash

about="the log of the previous kernel, of the one before, cut, damaged, switched off"
kernels="main"
stages=5
plan=23
limit=60

readonly LOG=/sys/kernel/kho/log
readonly RAW=/sys/kernel/debug/test_kho_raw
readonly BLOB=kho-6.12,log

stage_1() {
	check "nothing came in" eval "! [ -e $LOG ]"
	check "a file can be kept" keep letter 1M
	say
	count 1 100
	load_next main
	count 101 200
	leave
}

stage_2() {
	check "the log came in" newest 0
	check "lines from before and after the load are there once" counted 1 200
	check "it begins where that kernel did" contains 'Linux version'
	check "each line has its level and time" each_line '<[0-9]+>\[ *[0-9]+\.[0-9]+\] .*'
	check "it can be read in parts" same "what was read" \
		"$(dd if=$LOG bs=777 2>/dev/null | md5sum)" "$(md5sum <$LOG)"
	say
	handover main kho_log=8K
}

stage_3() {
	check "the log of the kernel before came in" newest 1
	check "so did the one before that" older_are 1 0
	check "both are complete" same "first lines" "$(grep -c 'Linux version' $LOG)" 2
	check "what goes out is smaller" same size "$(blob_size)" 8192
	say
	load_next main kho_log=0
	# More than there is room for after what was formatted at the load, and in all.
	count 1 300
	say
	leave
}

stage_4() {
	check "the last lines came in" newest 2
	check "no line is missing among them" counted 240 300
	check "so did those of the kernel before" older_are 2 1
	check "the whole is as small as it has to be" smaller 8300 6000
	check "it is cut where a line ends" each_line '<[0-9]+>\[ *[0-9]+\.[0-9]+\] .*'
	check "none goes out" same size "none$(blob_size)" none
	# This has the version "kho-log-v1", and a length that is invalid.
	check "a damaged one can be handed over" hand_over 2d676f6c2d6f686b 3176 1000
	handover main
}

stage_5() {
	check "it is ignored, which is said" ignored "of an invalid size"
	check "the kernel has one of its own again" [ "$(blob_size)" -ge 65536 ]
	check "the file is intact" intact letter
	check "all other memory is back" shows waiting_bytes 0
	check "all handovers were accepted" came_in 4
	finish
}

say() {
	echo "the words of stage $kho_stage"
}

heads() {
	sed -n 's/^== kexec \([0-9]*\), .*, [0-9]* bytes$/\1/p' $LOG | xargs
}

# has_log COUNT: the log of the kernel with this count is there, with its last line.
has_log() {
	sed "/^== kexec $1, /,/^== /!d" $LOG >/tmp/log
	grep -q "the words of stage $(($1 + 1))$" /tmp/log ||
		{ echo "there is no word of stage $(($1 + 1))"; return 1; }
	# kernel_kexec() says this when all devices have been shut down.
	sed '/^== /d' /tmp/log | tail -1 | grep -q 'kexec_core: Starting new kernel$' ||
		{ sed '/^== /d' /tmp/log | tail -2; return 1; }
}

# count FIRST LAST: logs a line with each of these numbers.
count() {
	local i

	for i in $(seq "$1" "$2"); do
		echo "number $i"
	done >/dev/kmsg
}

# counted FIRST LAST: the numbers that the previous kernel counted are there, each once
# and in order, from at most FIRST up to LAST.
counted() {
	local first numbers

	numbers=$(sed '1d; /^== /,$d; /number [0-9]*$/!d; s/.* //' $LOG)
	first=$(echo "$numbers" | head -1)
	[ "${first:-$2}" -le "$1" ] &&
		same numbers "$(echo $numbers)" "$(seq "$first" "$2" | xargs)"
}

# newest COUNT: the first log is that of the kernel with this count.
newest() {
	same "the first line" "$(head -1 $LOG | sed 's/, [0-9]* bytes$//')" \
		"== kexec $1, $(uname -r)" && has_log "$1"
}

# older_are NEWEST OLDER: exactly these two logs are there. newest() has checked the first.
older_are() {
	has_log "$2" && same logs "$(heads)" "$1 $2"
}

contains() {
	grep -q "$1" $LOG
}

each_line() {
	! grep -vE "^($1|== kexec [0-9]*, .*, [0-9]* bytes)$" $LOG
}

blob_size() {
	sed -n "s/^$BLOB //p" /sys/kernel/kho/blobs
}

smaller() {
	local size
	size=$(wc -c <$LOG)

	[ "$size" -le "$1" ] && [ "$size" -ge "$2" ] && return
	echo "it has $size bytes"
	return 1
}

# hand_over WORD WORD USED: hands over a log with these two words of the version, and this
# number of bytes of records.
hand_over() {
	local at

	echo "folio 0" >$RAW && at=$(cat $RAW) || return
	echo "put $at $1" >$RAW && echo "put $(sum "$at" 8) $2" >$RAW &&
		echo "put $(sum "$at" 24) $3" >$RAW && echo "blob $BLOB $at 1000" >$RAW
}

# sum HEX NUMBER: prints the sum of an address and a number.
sum() {
	printf '%x\n' $((0x${1#0x} + $2))
}

ignored() {
	has_said "KHO: the log of the previous kernel, at .*, is $1: ignored" &&
		! [ -e $LOG ] && shows waiting_bytes 0
}
