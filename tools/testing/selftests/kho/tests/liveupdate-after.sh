# SPDX-License-Identifier: GPL-2.0-only
#
# Pages that are written into holes after the file is preserved are handed over like the
# others, also those of other processes, until the moment of the kexec. A process fills one
# page after another, and counts them in a second file; all pages that it has counted are
# there.
#
# shellcheck shell=dash

about="pages that come after the file is preserved, until the kexec"
kernels="main next"
words="liveupdate=on"
mem=2G
cpus=2
stages=2
plan=14
limit=120

# To fill all FILL pages would take the process some seconds.
readonly PAGES=$((1 << 30)) FILL=$((838860800 / PAGE_SIZE))

stage_1() {
	start_agent keeper
	check "a session can be made" all keeper "create s after
		memfd a
		size a $((PAGES * PAGE_SIZE))
		write a 2 10 5
		memfd p
		size p $PAGE_SIZE
		write p 0 0 1"
	check "the files can be preserved" all keeper "preserve s 1 a
		preserve s 2 p"
	check "pages can come into holes" all keeper "write a 3 20 100 3
		poke a 3 5000 100"
	start_agent other
	# So many are sorted in another way, by their low and by their high bits.
	check "very many pages can come, in another order than in the file" all keeper \
		"write a 5 2000001 3000 2
		write a 6 2000000 3000 2
		write a 7 900000000 10"
	check "another process can have the file" share keeper a other
	check "it can fill holes" all other "poke a 4 6000 100
		write a 4 600000 100"

	load_next next $LUO_ON
	# No results may follow: the loaded command line has their number.
	ask keeper filler a 7 1000000 $FILL p >/dev/null
	later 100 filled_some || bail_out "the filler does not fill"
	leave
}

stage_2() {
	local count

	check "there is an incoming handover" came_in 1
	start_agent heir
	check "the session can be retrieved" ask heir retrieve s after
	check "the files can be taken" all heir "take s 1 a
		take s 2 p"
	check "what came before is there" all heir "check a 2 10 5
		check a 3 20 100 3"
	check "what came later is there" all heir "check a 3 5000 100
		check a 4 6000 100
		check a 4 600000 100
		check a 5 2000001 3000 2
		check a 6 2000000 3000 2
		check a 7 900000000 10
		zero a 5100 900
		zero a 7000 1000"
	check "all that was counted is there, and nothing else" \
		eval "ask heir filled a 7 1000000 $FILL p >/tmp/count || { cat /tmp/count; false; }"
	count=$(cat /tmp/count)
	note "$count of $FILL pages were filled before the kexec"
	check "it was the kexec that stopped it" test "$count" -gt 500 -a "$count" -lt $FILL
	check "the session can be finished" ask heir finish s
	finish
}

filled_some() {
	[ "$(ask keeper progress p)" -gt 500 ]
}
