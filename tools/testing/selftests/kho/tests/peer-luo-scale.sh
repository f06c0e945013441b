# SPDX-License-Identifier: GPL-2.0-only
#
# Many sessions of live update, a session with many files, and large files, handed over to
# a kernel that has a live update of its own, and back.
#
# The sessions fill the last block of their list. If a program then asks for one more
# session, with a name that is in use, the peer leaves an empty block behind, which it
# cannot read itself. This kernel does not write such a block, and can read one.
#
# shellcheck shell=dash

about="2,040 sessions, 504 files, and large files, to another kernel's live update and back"
when=asked
machines=x86
pages=4k
kernels="main peer"
turns=main,peer,main,peer
words="liveupdate=on kho_scratch=64M,128M,64M"
mem=2G
stages=4
plan=54
limit=400

# A block has room for 51 sessions, or for 63 files. Three sessions have names of their own.
readonly NUMBERED=$((40 * 51 - 3)) FILES=$((8 * 63))

# The table for this many pages takes more pages than one page has room for pointers. One
# page in 16 is written to.
readonly PAGES=135936 STEP=16
readonly COUNT=$((PAGES / STEP))

# Pages of a file with holes. The peer fills holes when it preserves a file, so it retrieves
# a file of 4 TiB, but does not make one.
readonly SPREAD=1000

stage_1() {
	start_agent keeper
	start_agent other
	same_total
	hand_over
}

later_stage() {
	local n=$kho_stage
	local seed=$((n - 1))

	start_agent keeper
	start_agent other
	check "it was kexec $((n - 1)), from the previous kernel" \
		metadata_says "$(recall release)" $((n - 1))
	check "the numbered sessions can be retrieved" \
		ask keeper retrieve-sessions scale $NUMBERED
	check "all their files are right" ask keeper end-sessions
	check "the session with many files is right" all other "retrieve s many
		take-files s $FILES
		finish s
		close s"
	check "the session without files can be retrieved" all other "retrieve e empty
		finish e
		close e"
	check "the large files can be taken" all other "retrieve l large
		take l 1 dense
		take l 2 spread"
	check "the pages of one are right" all other "check dense $seed 0 $COUNT $STEP
		zero dense 1 $COUNT $STEP"
	check "the pages of the other one are right" all other "
		check spread $seed 0 $SPREAD $(apart $seed)
		zero spread 1 $SPREAD $(apart $seed)"
	check "their session can be finished" all other "finish l
		close l
		close dense
		close spread"
	check "MemTotal is as in the same kernel before" same_total
	check "nine tenths of the memory can be used" usable 90
	[ "$n" -lt "$stages" ] || finish
	hand_over
}

hand_over() {
	local seed=$kho_stage

	check "the numbered sessions can be made" ask keeper many-sessions scale $NUMBERED
	check "a session with many files can be made" all other "create s many
		many-files s $FILES"
	check "a file of many pages can be preserved" all other "create l large
		memfd dense
		allocate dense 0 $PAGES
		preserve l 1 dense
		write dense $seed 0 $COUNT $STEP"
	check "a file with large holes can be preserved" all other "memfd spread
		size spread $((PAGE_SIZE * (SPREAD + 1) * $(apart "$seed")))
		write spread $seed 0 $SPREAD $(apart "$seed")
		preserve l 2 spread"
	check "the files can be closed" all other "close dense
		close spread"
	check "a session without files can be made" ask other create e empty
	check "no other one can be made of that name" refused EEXIST ask other create x empty
	remember release "$(uname -r)"
	handover "$(turn $((kho_stage + 1)))" "$words"
}

# turn STAGE: the kernel of that stage
turn() {
	echo "$turns" | cut -d , -f "$1"
}

# apart STAGE: the distance of pages in the file with holes that this stage makes
apart() {
	case $(turn "$1") in
	peer) echo 16 ;;
	*) echo 1073741 ;;
	esac
}
