# SPDX-License-Identifier: GPL-2.0-only
#
# Several processes use files at the same time, on several CPUs: while the files are
# preserved, and while their pages come back. Whatever the processes do, they see what they
# would see if all pages were there.
#
# shellcheck shell=dash

about="many processes use files while these are preserved, and while they come back"
kernels="main next"
words="liveupdate=on"
mem=2G
cpus=4
stages=2
plan=9
limit=240

# 128 MiB, and 1 GiB of which every 8th page is written.
readonly DENSE=$((134217728 / PAGE_SIZE)) SPARSE=$((134217728 / PAGE_SIZE))

stage_1() {
	local who

	start_agent keeper
	check "a session can be made" all keeper "create s crowd
		memfd a
		size a $((2 * DENSE * PAGE_SIZE))
		write a 1 0 $DENSE
		memfd b
		size b $((8 * SPARSE * PAGE_SIZE))
		write b 2 0 $SPARSE 8
		memfd c
		size c $((DENSE * PAGE_SIZE))"
	for who in one two three; do
		start_agent $who
		share keeper a $who && share keeper b $who && share keeper c $who
	done
	check "files can be preserved while others fill them" together \
		"all keeper 'preserve s 1 a
			preserve s 2 b
			preserve s 3 c'" \
		"ask one poke a 3 $DENSE $DENSE" \
		"ask two poke b 4 1 $SPARSE 8" \
		"ask three poke c 5 0 $DENSE"
	check "what is preserved twice at once is preserved once" once
	handover next "$words"
}

stage_2() {
	local who

	for who in heir one two three; do
		start_agent $who
	done
	check "the files can be taken" all heir "retrieve s crowd
		take s 1 a
		take s 2 b
		take s 3 c
		take s 4 d"
	for who in one two three; do
		share heir a $who && share heir b $who && share heir c $who && share heir d $who
	done
	check "all of them see the same" together \
		"ask one check a 1 0 $DENSE" \
		"ask two check a 3 $DENSE $DENSE" \
		"ask three check a 1 $((DENSE / 2)) $((DENSE / 2))" \
		"ask heir check a 3 $((DENSE * 3 / 2)) $((DENSE / 2))"
	check "also in a file with holes, of which one looks for these" together \
		"ask one check b 2 0 $SPARSE 8" \
		"ask two check b 4 1 $SPARSE 8" \
		"ask three zero b 2 $SPARSE 8" \
		"ask heir data b"
	check "also when it is finished meanwhile, and punched" together \
		"ask one punch c 0 100" \
		"ask two check c 5 100 $((DENSE - 100))" \
		"ask three punch d 0 $((DENSE / 2))" \
		"ask heir finish s"
	check "what was punched is zero, and all else is right" all heir "zero c 0 100
		check c 5 100 $((DENSE - 100))
		zero d 0 $((DENSE / 2))
		check d 6 $((DENSE / 2)) $((DENSE / 2))"
	check "nothing waits any more" nothing_waits
	finish
}

once() {
	local n worked=0

	all keeper "memfd d
		size d $((DENSE * PAGE_SIZE))
		write d 6 0 $DENSE" || return
	share keeper d one && share keeper d two
	for n in one two; do
		ask $n create "s$n" "$n"
		(ask $n preserve "s$n" 1 d >/dev/null 2>&1 && touch "/tmp/worked.$n") &
	done
	wait %1 %2 2>/dev/null
	sleep 1
	for n in one two; do
		[ ! -f "/tmp/worked.$n" ] || worked=$((worked + 1))
		ask $n close "s$n"
	done
	same "times it worked" $worked 1 && ask keeper preserve s 4 d
}
