# SPDX-License-Identifier: GPL-2.0-only
#
# A session with files of all kinds that a session can have, from one kernel into another. A
# process there retrieves all but one of the files, and the last one is discarded.
#
# shellcheck shell=dash

about="a session with files, from one kernel into another"
kernels="main next"
words="liveupdate=on"
stages=2
plan=42

# A file of 10 MiB, of which two pages are changed after it is preserved.
readonly PAGES=$((10485760 / PAGE_SIZE))

stage_1() {
	start_agent keeper
	check "no session came in" nothing_came_in keeper service
	check "a session can be created" ask keeper create s service
	check "its file says what it is" \
		same link "$(link_of keeper s)" "anon_inode:[luo_session] service"
	check "it knows its name" says service ask keeper name s
	check "a memfd can be preserved" all keeper "memfd a
		size a $((PAGES * PAGE_SIZE))
		write a 5 0 $PAGES
		preserve s 7 a"
	check "its content is right" ask keeper check a 5 0 $PAGES
	check "it can be written to" ask keeper poke a 6 3 2
	check "position and seals can change" all keeper "seek a 12345
		seal a 2"
	check "an unnamed file of tmpfs can be preserved" all keeper "open-file b /tmp unnamed
		write b 8 0 9
		preserve s 8 b"
	check "an unlinked file of tmpfs can be preserved" unlinked
	check "an empty file can be preserved" all keeper "memfd e
		preserve s 0 e"
	check "a file can be preserved that nobody will take" all keeper "memfd d
		write d 1 0 $PAGES
		preserve s 18446744073709551615 d"
	check "debugfs lists the session and its files" lists outgoing preserved
	check "so does fdinfo of the session" fdinfo_lists keeper preserved
	remember frames "$(ask keeper frames a 0 $PAGES)"
	remember stat "$(ask keeper stat a)"
	check "the files can be closed" all keeper "close a
		close b
		close c
		close d
		close e"
	note_down
	handover next $LUO_ON
}

stage_2() {
	local free

	check "no memory is lost" arrived 1
	start_agent heir
	check "there is no session of another name" nothing_came_in heir services
	check "debugfs lists a session that waits" listed incoming "state:	waiting"
	check "the session can be retrieved" ask heir retrieve s service
	check "debugfs lists the files that wait" lists incoming waiting
	check "its file says what it is" \
		same link "$(link_of heir s)" "anon_inode:[luo_session] service"
	check "it knows its name" says service ask heir name s
	check "it has no file with another token" refused ENOENT ask heir take s 11 x
	check "the memfd can be taken" ask heir take s 7 a
	check "fdinfo of the session says so" fdinfo_lists heir retrieved
	check "size, position, seals and mode are right" says "$(recall stat)" ask heir stat a
	check "the content is right" all heir "check a 5 0 3
		check a 6 3 2
		check a 5 5 $((PAGES - 5))"
	check "no page was moved" says "$(recall frames)" ask heir frames a 0 $PAGES
	check "debugfs says that all pages are there" later 50 \
		lists incoming "retrieved populated $PAGES of $PAGES pages"
	check "the unnamed file is right" all heir "take s 8 b
		check b 8 0 9"
	check "the unlinked file is right" all heir "take s 9 c
		check c 9 0 1"
	check "the empty file is right" says 0 eval "ask heir take s 0 e && figure_of heir e size"
	check "a file can be taken again: it is the same open file" taken_again
	free=$(mem_free)
	check "the session can be finished" ask heir finish s
	check "a file that nobody took is discarded" came_back "$free" $((PAGES * PAGE_SIZE))
	check "nothing can be taken any more" refused ENOENT ask heir take s 7 x
	check "the session cannot be retrieved while it is open" \
		refused EINVAL ask heir retrieve t service
	check "a session that is finished is gone when it is closed" gone
	check "nothing waits any more" nothing_waits
	check "the files are like any others" all heir "size a $((20 * PAGES * PAGE_SIZE))
		write a 10 $PAGES 100
		check a 10 $PAGES 100
		punch b 2 3
		zero b 2 3
		size b 0"
	free=$(mem_free)
	check "they can be closed" all heir "close a
		close again"
	check "their memory is free again" came_back "$free" $((PAGES * PAGE_SIZE))
	finish
}

# listed SIDE TEXT: debugfs has this text about incoming or outgoing sessions.
listed() {
	grep -qF "$2" "/sys/kernel/debug/liveupdate/$1" ||
		{ echo "no '$2' in"; cat "/sys/kernel/debug/liveupdate/$1"; return 1; }
}

# lists SIDE STATE: debugfs has the session, and its file with the token 7 in this state.
lists() {
	listed "$1" "session:	service" && listed "$1" "token 0x7 handler memfd-v2 state $2"
}

fdinfo_lists() {
	local path
	path=$(proc_path "$1" s fdinfo)

	grep -qF "token 0x7 handler memfd-v2 state $2" "$path" || { cat "$path"; return 1; }
}

unlinked() {
	ask keeper open-file c /tmp/c new && rm /tmp/c &&
		all keeper "write c 9 0 1
			preserve s 9 c"
}

taken_again() {
	all heir "take s 7 again
		seek again 54321" || return
	same position "$(figure_of heir a pos)" 54321
}

gone() {
	ask heir close s && refused ENOENT ask heir retrieve s service
}
