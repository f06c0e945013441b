# SPDX-License-Identifier: GPL-2.0-only
#
# Agents on four CPUs make sessions, and preserve, touch, retrieve and close files, all at
# once, over two handovers, under a kernel that checks locks, struct pages and freed memory.
# They share one open device. In each of the first two kernels an agent is killed meanwhile.
#
# shellcheck shell=dash

about="four CPUs preserve, take, touch and close at once, and one agent is killed, under lockdep"
kernels="debug"
words="liveupdate=on"
mem=2G
cpus=4
stages=3
limit=300
plan=24

# The file "a" has 16 MiB, and a hole of as much that a process fills until the kexec. The
# file of a worker has PART pages, and a hole of as many.
readonly PAGES=$((16777216 / PAGE_SIZE)) PART=128 ROUNDS=12
readonly FILES=/sys/kernel/debug/liveupdate

stage_1() {
	local n

	check "the CPUs are there" same "CPUs" "$(nproc)" "$cpus"
	start_agent keeper
	check "files can be made" all keeper "open d
		create s kept d
		memfd a
		size a $((2 * PAGES * PAGE_SIZE))
		write a 1 0 $PAGES
		memfd p
		size p $PAGE_SIZE
		write p 0 0 1"
	for n in 1 2 3 4; do
		start_agent "worker$n"
	done
	check "workers can have their own, and one in common" prepare_workers
	check "sessions come and go while a file is preserved, and one agent is killed" together \
		"all keeper 'preserve s 1 a
			preserve s 2 p
			check a 1 0 $PAGES'" \
		"rounds worker1 $ROUNDS '$(come_and_go 1)'" \
		"rounds worker2 $ROUNDS '$(come_and_go 2)'" \
		"rounds worker3 $ROUNDS '$(come_and_go 3)'" \
		"killed worker4 '$(come_and_go 4)'" \
		"watch $ROUNDS"
	check "the session of the one that was killed is gone" later 50 all keeper "create t w4 d
		close t"
	check "its file has no fixed size any more" all keeper "size f $((PART * PAGE_SIZE))
		check f 4 0 $PART"
	check "the others can keep their files" keep_work
	check_leaks

	load_next "$(last_kernel)" "$words"
	# No results may follow: the loaded command line has their number.
	ask keeper filler a 7 "$PAGES" "$PAGES" p >/dev/null
	for n in 1 2 3; do
		rounds "worker$n" 100000 "poke a 1 0 $PAGES ; check f $n 0 $PART" &
	done
	later 100 has_begun || bail_out "the filler does not fill"
	leave
}

stage_2() {
	local n

	check "there is an incoming handover" came_in 1
	start_agent heir
	check "the session can be retrieved" all heir "open d
		retrieve s kept d"
	for n in 1 2 3 4; do
		start_agent "worker$n"
	done
	check "each worker has it as well, and its own" retrieve_work
	check "files can be taken, touched and preserved again, and one agent is killed" together \
		"all heir 'take s 2 p
			take s 1 a
			filled a 7 $PAGES $PAGES p
			data a'" \
		"ask worker1 '$(take_and_keep 1)'" \
		"ask worker2 '$(take_and_keep 2)'" \
		"ask worker3 '$(take_and_keep 3)'" \
		"killed worker4 'take s 1 a ; peek a 1 0 $PAGES ; close a'" \
		"watch $ROUNDS"
	check "nothing is lost by that" all heir "check a 1 0 $PAGES
		filled a 7 $PAGES $PAGES p"
	check "the session can be finished" ask heir finish s
	check "the session of the one that was killed did not come in" \
		refused ENOENT ask heir retrieve w w4 d
	check "nothing waits any more" nothing_waits
	check "sessions come and go as before" together \
		"all heir 'create t kept d
			preserve t 1 a
			check a 1 0 $PAGES'" \
		"rounds worker1 $ROUNDS '$(write_more 1)'" \
		"rounds worker2 $ROUNDS '$(write_more 2)'" \
		"rounds worker3 $ROUNDS '$(write_more 3)'" \
		"watch $ROUNDS"
	check_leaks
	handover "$(last_kernel)" "$words"
}

stage_3() {
	local n

	check "there is an incoming handover" came_in 2
	start_agent heir
	check "the device can be opened" ask heir open d
	for n in 1 2 3 4; do
		start_agent "worker$n"
		share heir d "worker$n"
	done
	check "all sessions can be ended at once" together \
		"ask worker1 '$(end_work 1)'" \
		"ask worker2 '$(end_work 2)'" \
		"ask worker3 '$(end_work 3)'" \
		"all worker4 'retrieve s kept d
			take s 1 a
			check a 1 0 $PAGES
			finish s'" \
		"watch $ROUNDS"
	check "nothing waits any more" nothing_waits
	check_leaks
	check "half of the memory can be used" usable 50
	finish
}

check_leaks() {
	check "kmemleak finds no leak" no_leaks
}

prepare_workers() {
	local n

	for n in 1 2 3 4; do
		share keeper a "worker$n" && share keeper d "worker$n" || return
		all "worker$n" "memfd f
			size f $((2 * PART * PAGE_SIZE))
			write f $n 0 $PART" || return
	done
	share worker4 f keeper
}

# Prints commands that make a session, preserve a file, fill its hole, and close the
# session.
come_and_go() {
	echo "create s w$1 d ; preserve s 1 f ; poke f $1 $PART $PART ; check f $1 0 $PART ;" \
		"poke a 1 0 $PART ; close s ; punch f $PART $PART"
}

keep_work() {
	local n

	for n in 1 2 3; do
		ask "worker$n" "create s w$n d ; preserve s 1 f ; poke f $n $PART $PART" || return
	done
}

has_begun() {
	[ "$(ask keeper progress p)" -gt 20 ]
}

retrieve_work() {
	local n

	for n in 1 2 3 4; do
		share heir s "worker$n" && share heir d "worker$n" || return
		[ "$n" -eq 4 ] || ask "worker$n" retrieve w "w$n" d || return
	done
}

take_and_keep() {
	echo "take w 1 f ; peek f $1 0 $PART ; take s 1 a ; peek a 1 0 $PAGES ;" \
		"check f $1 $PART $PART ; finish w ; close w ; create n w$1 d ; preserve n 1 f"
}

# Prints commands that write to a file that is in a session, while a session with another
# file is made and closed.
write_more() {
	echo "create s2 more-$1 d ; memfd g ; write g 9 0 $PART ; preserve s2 1 g ;" \
		"write f $1 0 $PART ; close g ; close s2"
}

end_work() {
	echo "retrieve w w$1 d ; take w 1 f ; punch f 0 9 ; zero f 0 9 ;" \
		"check f $1 9 $((2 * PART - 9)) ; finish w ; close w ; close f"
}

# Reads what debugfs says about all sessions and files.
watch() {
	local i

	for i in $(seq "$1"); do
		cat $FILES/outgoing $FILES/incoming >/dev/null || { echo "$i"; return 1; }
	done
}
