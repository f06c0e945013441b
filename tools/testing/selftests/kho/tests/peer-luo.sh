# SPDX-License-Identifier: GPL-2.0-only
#
# Sessions of live update that are handed over to a kernel that has a live update of its
# own, and back, and from each of the two to itself. Each kernel takes the files of the
# previous one, and hands over new ones of all kinds. Two files are handed on from the
# first kernel to the last one.
#
# host/peer/peer.sh decides which kernel the peer is. The scenario peer-luo-scale has
# many sessions and files.
#
# shellcheck shell=dash

about="live update to another kernel's and back, with files of all kinds"
when=asked
machines=x86
pages=4k
kernels="main peer"
turns=main,peer,peer,main,main,peer
words="liveupdate=on"
mem=1G
stages=6
plan=218
limit=300

# The longest name that a session can have, 63 bytes.
readonly LONG_NAME="a/session-whose-name-is:63-bytes-long,NOT_64.that=is_too+long@!"

# Pages of the file without holes, and of the one that no process retrieves.
readonly DENSE=2560
# Pages of the file with holes, in which one page of eight is written to.
readonly SPARSE=1024
# Pages of the file with huge pages. A hole of as many pages follows them.
readonly HUGE=1024
# Each kernel adds this many pages to the file that is handed on.
readonly EACH=64

stage_1() {
	start_agent agent
	check "huge pages are given to who asks for them" thp_on_demand
	check "no session came in" nothing_came_in agent files
	check "two files to be handed on can be made" all agent "memfd on
		size on $((EACH * stages * PAGE_SIZE))
		memfd asis
		size asis $((HUGE * PAGE_SIZE))
		huge asis 77 $HUGE"
	same_total
	hand_over
}

later_stage() {
	local n=$kho_stage free

	start_agent agent
	check "it was kexec $((n - 1)), from the previous kernel" \
		metadata_says "$(recall release)" $((n - 1))
	check "huge pages are given to who asks for them" thp_on_demand
	check "no session of another name came in" nothing_came_in agent file
	check "the session can be retrieved" ask agent retrieve s files
	take_files $((n - 1))
	check "it has no file with another token" refused ENOENT ask agent take s 99 x
	free=$(mem_free)
	check "the session can be finished" all agent "finish s
		close s"
	check "the memory of its files is free again" came_back "$free" $((2 * DENSE * PAGE_SIZE))
	check "a session without files can be retrieved by its long name" long_name
	check "a session that was closed before the kexec is not there" \
		refused ENOENT ask agent retrieve x closed
	check "the files that are handed on are right" take_on $((n - 1))
	check "nothing else waits" nothing_waits_here
	check "MemTotal is as in the same kernel before" same_total
	check "nine tenths of the memory can be used" usable 90
	[ "$n" -lt "$stages" ] || finish
	hand_over
}

# The files that are handed on were taken by take_on(), or made by the first kernel.
hand_over() {
	preserve_files "$kho_stage"
	check "two files are handed on" hand_on "$kho_stage"
	check "a session without files can be made, with a long name" ask agent create l $LONG_NAME
	check "a session can be closed before the kexec" all agent "create x closed
		memfd closed
		write closed 5 0 $DENSE
		preserve x 1 closed
		close x
		close closed"
	remember release "$(uname -r)"
	handover "$(turn $((kho_stage + 1)))" "$words"
}

# turn STAGE: the kernel of that stage
turn() {
	echo "$turns" | cut -d , -f "$1"
}

# -------------------------------------------------------- the session with files

# preserve_files SEED: what is written to a file before it is preserved has that seed,
# and what is written to it afterwards has SEED + 100.
preserve_files() {
	local n="$1" after=$(($1 + 100))

	check "a session can be made" ask agent create s files
	check "a file without holes can be preserved" all agent "memfd dense
		write dense $n 0 $DENSE
		preserve s 1 dense
		poke dense $after 3 2
		write dense $after 2000 100
		seek dense 12345"
	check "a file with holes can be preserved" preserve_sparse "$n"
	check "a file with huge pages can be preserved" preserve_huge "$n"
	check "a file that ends within a page can be preserved" all agent "memfd odd
		write odd $n 0 4
		size odd $((3 * PAGE_SIZE + 100))
		seek odd 1000000
		preserve s 4 odd"
	check "a file with nothing in it can be preserved" all agent "memfd empty
		preserve s 0 empty"
	check "a file that is one hole can be preserved" all agent "memfd hole
		size hole $((SPARSE * PAGE_SIZE))
		preserve s 5 hole"
	check "a file with pages that nobody wrote to can be preserved" all agent "memfd unwritten
		allocate unwritten 0 64
		write unwritten $n 0 16 4
		preserve s 6 unwritten"
	check "a file with pages beyond its end can be preserved" all agent "memfd beyond
		write beyond $n 0 4
		allocate beyond 4 1000 keep
		preserve s 7 beyond"
	check "an unnamed file of tmpfs can be preserved" all agent "open-file unnamed /tmp unnamed
		write unnamed $n 0 9
		preserve s 18446744073709551615 unnamed"
	# SEAL, SHRINK, GROW and WRITE; FUTURE_WRITE; EXEC and all that it implies; SHRINK
	# before the file is preserved, and GROW after that.
	check "files with seals can be preserved" all agent "
		memfd sealed; write sealed $n 0 3; seal sealed 15; preserve s 8 sealed
		memfd future; write future $n 0 3; seal future 16; preserve s 9 future
		memfd exec; write exec $n 0 3; seal exec 32; preserve s 10 exec
		memfd late; write late $n 0 3; seal late 2; preserve s 11 late; seal late 4
		memfd locked noexec; write locked $n 0 3; preserve s 12 locked"
	check "a file that nobody will take can be preserved" all agent "memfd untaken
		write untaken $n 0 $DENSE
		preserve s 13 untaken
		close untaken"
	check "the files can be closed" leave_files
}

# A page that is written into a hole after PRESERVE_FD is handed over. The peer has filled
# all holes by then; this kernel leaves them as holes.
preserve_sparse() {
	local blocks=$((SPARSE / 8))

	all agent "memfd sparse
		size sparse $((SPARSE * PAGE_SIZE))
		write sparse $1 0 $blocks 8
		preserve s 2 sparse" || return
	[ "$(turn "$kho_stage")" != peer ] || blocks=$SPARSE
	same blocks "$(figure_of agent sparse blocks)" "$blocks" || return
	all agent "poke sparse $(($1 + 100)) 4 1
		write sparse $(($1 + 100)) 12 1
		write sparse $(($1 + 100)) 8 1"
}

preserve_huge() {
	all agent "memfd large
		size large $((2 * HUGE * PAGE_SIZE))
		huge large $1 $HUGE
		preserve s 3 large
		poke large $(($1 + 100)) $((HUGE + 6)) 1" || return
	huge_mib $((HUGE * PAGE_SIZE >> 20))
}

# Remembers what the files look like, and closes them.
leave_files() {
	local file

	for file in dense sparse large odd empty hole unwritten beyond unnamed sealed future \
		exec late locked; do
		remember "stat.$file" "$(ask agent stat "$file")"
		remember "data.$file" "$(ask agent data "$file")"
		[ "$file" != odd ] || remember odd "$(checksum_of agent odd)"
		ask agent close "$file" || return
	done
}

# take_files SEED: retrieves and checks the files. SEED is that of preserve_files() in the
# previous kernel.
take_files() {
	local n="$1" after=$(($1 + 100))

	check "the file without holes is right" look 1 dense "check dense $n 0 3
		check dense $after 3 2
		check dense $n 5 1995
		check dense $after 2000 100
		check dense $n 2100 $((DENSE - 2100))"
	check "the file with holes is right" look 2 sparse "check sparse $n 0 1
		check sparse $n 16 $((SPARSE / 8 - 2)) 8
		check sparse $after 4 3 4
		zero sparse 1 3
		zero sparse 5 3
		zero sparse 9 3
		zero sparse 13 3
		zero sparse 17 $((SPARSE / 8 - 2)) 8"
	check "the file with huge pages has them, and is right" look_huge "$n"
	check "the file that ends within a page is right" look_odd "$n"
	check "the file with nothing in it is right" look 0 empty "write empty $n 0 1"
	check "the file that is one hole is right" look 5 hole "zero hole 0 $SPARSE
		write hole $n 3 1
		check hole $n 3 1"
	check "the pages that nobody wrote to are zero" look 6 unwritten "
		check unwritten $n 0 16 4
		zero unwritten 1 16 4
		zero unwritten 2 16 4
		zero unwritten 3 16 4"
	check "the file with pages beyond its end has none of these" look_beyond "$n"
	check "the unnamed file is right" look 18446744073709551615 unnamed "check unnamed $n 0 9"
	check "the file with all seals is right" look_sealed 8 sealed "$n"
	check "the file that may not be written to anew is right" look_sealed 9 future "$n"
	check "the file that stays executable is right" look_sealed 10 exec "$n"
	check "the file with a late seal is right" look_late "$n"
	check "the file that stays not executable is right" look_noexec "$n"
}

# look TOKEN FILE LINES: retrieves the file, checks that it is as before, asks the agent for
# LINES, and closes the file.
look() {
	ask agent take s "$1" "$2" && is_as_before "$2" || return
	all agent "$3
		close $2"
}

# is_as_before FILE [SED]: "stat" and "data" say what they said before, apart from what the
# script SED changes. Each file comes back with mode 0777.
is_as_before() {
	says "$(recall "stat.$1" | sed "s/mode=[^ ]*/mode=0x1ff/; ${2-}")" ask agent stat "$1" &&
		says "$(recall "data.$1")" ask agent data "$1"
}

look_huge() {
	ask agent take s 3 large && is_as_before large || return
	all agent "check large $1 0 $HUGE
		zero large $HUGE 6
		check large $(($1 + 100)) $((HUGE + 6)) 1
		zero large $((HUGE + 7)) $((HUGE - 7))" || return
	huge_mib $((HUGE * PAGE_SIZE >> 20)) && ask agent close large
}

look_odd() {
	ask agent take s 4 odd && is_as_before odd || return
	same checksum "$(checksum_of agent odd)" "$(recall odd)" || return
	all agent "check odd $1 0 3
		size odd $((4 * PAGE_SIZE))
		close odd"
}

look_beyond() {
	ask agent take s 7 beyond && is_as_before beyond "s/blocks=[^ ]*/blocks=4/" || return
	all agent "check beyond $1 0 4
		size beyond $((5 * PAGE_SIZE))
		zero beyond 4 1
		close beyond"
}

# look_sealed TOKEN FILE SEED
look_sealed() {
	ask agent take s "$1" "$2" && is_as_before "$2" && ask agent check "$2" "$3" 0 3 || return
	refused EPERM ask agent write "$2" 1 0 1 && ask agent close "$2"
}

# The peer hands over the seals that the file has when it is preserved, this kernel those
# that it has at the kexec.
look_late() {
	local seals=0x6
	[ "$(turn $((kho_stage - 1)))" != peer ] || seals=0x2

	ask agent take s 11 late && is_as_before late "s/seals=[^ ]*/seals=$seals/" || return
	ask agent check late "$1" 0 3 && ask agent close late
}

# When the peer retrieves the file, it makes it executable, and F_SEAL_EXEC then implies the
# seals against writing and resizing.
look_noexec() {
	local stat
	stat=$(recall stat.locked)
	[ "$(turn "$kho_stage")" != peer ] ||
		stat=$(echo "$stat" | sed "s/seals=[^ ]*/seals=0x3e/; s/mode=[^ ]*/mode=0x1ff/")

	ask agent take s 12 locked && ask agent check locked "$1" 0 3 || return
	says "$stat" ask agent stat locked && ask agent close locked
}

# --------------------------------------------------------------- other sessions

# One of the two files grows. The content of the other one is not checked before the last
# kernel.
hand_on() {
	local first=$((EACH * ($1 - 1)))

	all agent "create h handed
		write on $1 $first $((EACH / 2))
		preserve h 1 on
		preserve h 2 asis
		poke on $1 $((first + EACH / 2)) $((EACH / 2))
		close on
		close asis"
}

take_on() {
	local n

	all agent "retrieve h handed
		take h 1 on
		take h 2 asis
		zero on $((EACH * $1)) $((EACH * (stages - $1)))" || return
	for n in $(seq "$1"); do
		ask agent check on "$n" $((EACH * (n - 1))) $EACH || return
	done
	[ "$kho_stage" -lt "$stages" ] || ask agent check asis 77 0 $HUGE || return
	all agent "finish h
		close h" && huge_mib $((HUGE * PAGE_SIZE >> 20))
}

long_name() {
	ask agent retrieve l $LONG_NAME && says $LONG_NAME ask agent name l || return
	refused ENOENT ask agent take l 0 x && all agent "finish l
		close l"
}

# ------------------------------------------------------------------ the machine

thp_on_demand() {
	echo advise >/sys/kernel/mm/transparent_hugepage/shmem_enabled
}

# The peer does not count folios that wait.
nothing_waits_here() {
	[ "$(turn "$kho_stage")" = peer ] || nothing_waits
}
