# SPDX-License-Identifier: GPL-2.0-only
#
# A file that is handed on from kernel to kernel. Each kernel adds pages to it, some of
# them after it has preserved it.
#
# host/vm/test.sh liveupdate-chain:luo_handovers=50 takes a quarter of an hour.
#
# shellcheck shell=dash

luo_handovers=${luo_handovers:-5}
about="a file that is handed on $luo_handovers times, and grows"
kernels="main next"
words="liveupdate=on luo_handovers=$luo_handovers"
stages=$((luo_handovers + 1))
plan=$((1 + 6 * luo_handovers))
limit=$((50 + 20 * luo_handovers))

# Each kernel fills this many pages, every eighth one.
readonly EACH=100

stage_1() {
	start_agent keeper
	check "a file can be preserved" all keeper "memfd a
		size a $((8 * EACH * stages * PAGE_SIZE))
		write a 1 0 $EACH 8
		create s session-1
		preserve s 1 a"
	remember total "$(mem_total)"
	handover next "$words"
}

later_stage() {
	local n=$kho_stage

	start_agent keeper
	check "the file can be taken from the session of the last kernel" all keeper "
		retrieve old session-$((n - 1))
		take old 1 a"
	check "what each kernel has written is there" all keeper "$(look $((n - 1)))"
	check "the session can be finished" all keeper "finish old
		close old"
	check "nothing waits any more" nothing_waits
	check "no memory is lost" near MemTotal "$(mem_total)" "$(recall total)" 512
	# Half of the new pages are written before the file is preserved, half afterwards.
	check "the file can be filled and preserved" all keeper "create s session-$n
		write a $n $((8 * EACH * (n - 1))) $((EACH / 2)) 8
		preserve s 1 a
		write a $n $((8 * EACH * (n - 1) + 4 * EACH)) $((EACH / 2)) 8"
	[ "$n" -lt "$stages" ] || finish
	handover "$([ $((n % 2)) -eq 1 ] && echo next || echo main)" "$words"
}


# look N: prints commands which check that the pages of the stages up to N are right, and
# that those between them are zero.
look() {
	local n
	for n in $(seq "$1"); do
		echo "check a $n $((8 * EACH * (n - 1))) $EACH 8"
		echo "zero a $((8 * EACH * (n - 1) + 3)) $EACH 8"
	done
	echo "zero a $((8 * EACH * $1)) $((8 * EACH))"
}
