# SPDX-License-Identifier: GPL-2.0-only
#
# Programs use a file that was just retrieved, while most of its pages still wait. Whatever
# they do to the file, they see what they would see if all its pages were there.
#
# shellcheck shell=dash

about="what happens to a file while its pages still come"
kernels="main next"
words="liveupdate=on"
mem=2G
cpus=2
stages=2
plan=22
limit=120

# Each file has 32 MiB, and as much again as a hole.
readonly PAGES=$((33554432 / PAGE_SIZE)) FILES=14
readonly HALF=$((PAGES / 2)) END=$((2 * PAGES))
readonly HALF_BYTES=$((HALF * PAGE_SIZE)) END_BYTES=$((END * PAGE_SIZE))

stage_1() {
	start_agent keeper
	check "a session with files can be made" make_files
	remember stat "$(ask keeper stat f)"
	remember data "$(ask keeper data f)"
	note_down
	handover next $LUO_ON
}

stage_2() {
	local free

	check "no memory is lost" arrived 1
	start_agent heir
	start_agent other
	free=$(mem_free)
	check "the session can be retrieved" ask heir retrieve s meanwhile
	at_once "the end is read" 1 "check f 5 $((PAGES - 9)) 9 ; zero f $PAGES 9 ; check f 5 0 9"
	at_once "pages are punched out" 2 \
		"punch f $HALF 99 ; zero f $HALF 99 ; check f 5 $((HALF + 99)) 9 ; check f 5 $((HALF - 9)) 9"
	at_once "it is cut, and made longer again" 3 \
		"size f $HALF_BYTES ; size f $END_BYTES ; zero f $HALF 999 ; check f 5 0 $HALF"
	at_once "memory is allocated" 4 \
		"allocate f 0 $((PAGES + 9)) ; check f 5 0 $PAGES ; zero f $PAGES 99"
	at_once "pages are written" 5 \
		"write f 6 $HALF 99 ; check f 6 $HALF 99 ; check f 5 $((HALF - 9)) 9 ; write f 6 $PAGES 9"
	at_once "pages are written through a mapping" 6 \
		"poke f 6 $HALF 99 ; peek f 6 $HALF 99 ; peek f 5 $((HALF + 99)) 9 ; poke f 6 $PAGES 9"
	at_once "it is sealed" 7 "seal f 8 ; peek f 5 $((PAGES - 99)) 99"
	at_once "it is taken twice" 8 "take s 8 g ; peek g 5 $HALF 99 ; close g"
	at_once "pages are swapped out, if there is swap" 9 \
		"advise f 0 $PAGES pageout ; check f 5 0 $PAGES"

	at_once "its pages become huge ones" 14 "$(collapse)check f 5 0 $PAGES"

	check "figures of it are right at once" right_figures
	check "data and holes of it are right at once" right_data
	check "it can be closed at once, and taken again" all heir "take s 12 f ; close f
		take s 12 f ; check f 5 0 $PAGES
		close f"
	check "who takes it can be killed" killed
	check "the session can be finished" ask heir finish s
	check "nothing waits any more" nothing_waits
	check "what was changed is still so" all heir "zero f2 $HALF 99
		check f2 5 $((HALF + 99)) $((HALF - 99))
		zero f3 $HALF $HALF
		check f5 6 $HALF 99
		check f5 5 $((HALF + 99)) $((HALF - 99))
		check f6 6 $HALF 99
		check f6 5 0 $HALF"
	check "all can be closed" all heir "$(seq 1 11 | sed 's/^/close f/')
		close f14"
	check "all memory is free" came_back "$free" $((FILES * PAGES * PAGE_SIZE))
	finish
}

make_files() {
	local i

	ask keeper create s meanwhile || return
	for i in $(seq $FILES); do
		all keeper "memfd f
			size f $((END * PAGE_SIZE))
			write f 5 0 $PAGES
			preserve s $i f" || return
		[ "$i" -eq $FILES ] || ask keeper close f || return
	done
}

# at_once WHAT TOKEN COMMANDS: runs COMMANDS right after the file has been retrieved. The
# file stays open as fTOKEN.
at_once() {
	check "$1" eval "ask heir 'take s $2 f ; $3' && ask heir 'take s $2 f$2 ; close f'"
}

# Where base pages are larger than 4 KiB, the file is smaller than a huge page.
collapse() {
	[ "$PAGE_SIZE" -ne 4096 ] || echo "collapse f $PAGES ; "
}

right_figures() {
	says "$(recall stat)" ask heir "take s 10 f10 ; stat f10"
}

right_data() {
	says "$(recall data)" ask heir "take s 11 f11 ; data f11"
}

killed() {
	share heir s other || return
	# The agent ends without an answer, so "ask" fails.
	! ask other "take s 13 f ; kill" || return
	all heir "take s 13 f
		check f 5 0 $PAGES
		close f"
}
