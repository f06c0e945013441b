# SPDX-License-Identifier: GPL-2.0-only
#
# A kexec that fails leaves everything as it was: the test client of live update has files
# that fail to freeze when the scenario tells them to, after memfds have been frozen.
# Meanwhile another process fills a memfd, and goes on afterwards. A session that is closed
# before the kexec is not handed over.
#
# shellcheck shell=dash

about="a kexec that fails, and a session that is closed before it"
kernels="main next"
words="liveupdate=on"
mem=1536M
cpus=2
stages=2
plan=22
limit=120
expect="LUO: .*(cannot freeze|cannot be frozen)"

readonly CLIENT_DIR=/sys/kernel/debug/test_liveupdate
readonly PAGES=1000 FILL=$((419430400 / PAGE_SIZE))

stage_1() {
	local free n before

	start_agent keeper
	check "a session with files can be made" all keeper "create s kept
		memfd a
		size a $((4 * FILL * PAGE_SIZE))
		write a 3 0 $PAGES
		preserve s 1 a
		open-file x $CLIENT_DIR/new
		preserve s 2 x
		memfd p
		size p $PAGE_SIZE
		write p 0 0 1
		preserve s 3 p"
	check "another session can be made" all keeper "create t other
		open-file y $CLIENT_DIR/new
		preserve t 1 y"
	check "a kexec without a kernel fails" refused "kexec_load: kexec: error 22" kexec_load exec
	check "the session is not touched by that" says kept ask keeper name s

	check "a third session can be made" all keeper "create c closed
		memfd b
		write b 4 0 $((8 * PAGES))
		preserve c 1 b"
	free=$(mem_free)
	check "it can be closed" all keeper "close c
		close b"
	check "its memory is free again" came_back "$free" $((8 * PAGES * PAGE_SIZE))

	check "a kernel can be loaded" load_kernel load next $LUO_ON
	ask keeper filler a 7 $FILL $FILL p >/dev/null
	for n in 1 2; do
		check "file $n cannot be frozen, and the kexec fails" cannot_freeze $n
		check "afterwards pages can come into holes" all keeper "write a 4 $((PAGES + n)) 1
			check a 3 0 $PAGES"
	done
	check "the log says which file" \
		has_said "LUO: test-file-v1: cannot freeze the file with token 0x2 .-5."
	before=$(ask keeper progress p)
	check "the process that fills the file goes on" later 50 has_filled "$before"
	handover next $LUO_ON
}

stage_2() {
	check "there is an incoming handover" came_in 1
	start_agent heir
	check "the session can be retrieved" ask heir retrieve s kept
	check "the session that was closed cannot" refused ENOENT ask heir retrieve c closed
	check "its files can be taken" all heir "take s 1 a
		take s 3 p"
	check "what was written before and after is right" all heir "check a 3 0 $PAGES
		check a 4 $((PAGES + 1)) 2
		zero a $((PAGES + 3)) $PAGES"
	check "what the other process wrote is right" ask heir filled a 7 $FILL $FILL p
	check "the sessions can be finished" all heir "finish s
		retrieve t other
		close t"
	check "nothing waits any more" nothing_waits
	finish
}

# cannot_freeze N: the Nth file of the client that is frozen fails with EIO, and so does the
# kexec.
cannot_freeze() {
	echo "freeze $1 5" >$CLIENT_DIR/fail || return
	refused "kexec_load: kexec: error 5" kexec_load exec
}

has_filled() {
	[ "$(ask keeper progress p)" -gt "$1" ] || [ "$1" -eq $FILL ]
}
