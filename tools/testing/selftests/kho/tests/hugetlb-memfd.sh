# SPDX-License-Identifier: GPL-2.0-only
#
# Files of hugetlb pages of 2 MiB and 1 GiB: dense, sparse, reserved, sealed, shared with
# another process, and one that no process retrieves. They go through a chain of three
# kernels. The scenario checks the pools after each step. For the second kernel, hugepages=
# asks for pools of the same size, for the third one it asks for less than is handed over.
#
# shellcheck shell=dash

about="files of hugetlb pages, through three kernels, and the pools of these"
kernels="main next"
mem=5G
pages=4k
words="liveupdate=on hugepagesz=1G hugepages=2 hugepagesz=2M hugepages=40"
stages=3
plan=55
limit=150
arrival="arrived 1"

readonly POOLS=/sys/kernel/mm/hugepages
readonly SMALL="liveupdate=on hugepagesz=2M hugepages=6"

stage_1() {
	check "the pools are there" pools_are 40 40 0 0
	start_agent keeper
	check "a dense file can be made" all keeper "create s huge
		hugetlb a 21
		hsize a 8
		hfill a 1 0 8"
	check "so can a sparse one" all keeper "hugetlb b 21
		hsize b 1000
		hfill b 2 0 5 199"
	check "one with reservations" all keeper "hugetlb c 21
		hsize c 6
		hreserve c 0 6
		hfill c 3 1 2"
	check "a sealed one" all keeper "hugetlb d 21
		hsize d 1
		hfill d 4 0 1
		seek d 4096
		seal d 0xe"
	check "one that nobody will take, with a reservation" all keeper "hugetlb e 21
		hsize e 4
		hreserve e 2 2
		hfill e 5 0 2"
	check "one with a page of 1 GiB" all keeper "hugetlb g 30
		hsize g 2
		hfill g 6 1 1"
	start_agent guest
	check "another process can share the dense one" share keeper a guest
	check "it can map it" ask guest hmap a 0 8
	check "the pools count all that" pools_are 40 22 6 0
	check "all can be preserved" all keeper "preserve s 1 a
		preserve s 2 b
		preserve s 3 c
		preserve s 4 d
		preserve s 5 e
		preserve s 7 g"
	check "that changes no pool" pools_are 40 22 6 0
	check "nor that of 1 GiB" gigantic_are 2 1 0
	check "the size is fixed" refused EPERM ask keeper hsize a 9
	check "no page can be taken out" refused EPERM ask keeper hpunch a 1 1
	check "a mapping cannot make it longer" refused EPERM ask keeper hreserve a 8 1
	check "no page can be allocated" refused EPERM ask keeper hallocate b 1 1
	check "content can change, also by the other process" all guest "hfill a 7 3 1"
	check "pages can come into holes, reserved or not" all keeper "hfill b 2 1 1
		hfill c 3 4 1"
	check "the pools count them" pools_are 40 20 5 0
	remember frames "$(frames keeper)"
	remember stat "$(ask keeper stat d)"
	note_down
	handover "$(last_kernel)" "$words"
}

stage_2() {
	# shellcheck disable=SC2086 # words
	check "no memory is lost" $arrival
	check "the pools have as many pages, before any file is taken" pools_are 40 20 5 0
	check "so has the one of 1 GiB" gigantic_are 2 1 0
	start_agent heir
	check "the session can be retrieved" ask heir retrieve s huge
	check "the dense file is right" all heir "take s 1 a
		hcheck a 1 0 3
		hcheck a 7 3 1
		hcheck a 1 4 4"
	check "the sparse one is right" all heir "take s 2 b
		hcheck b 2 0 5 199
		hcheck b 2 1 1
		hzero b 2 100"
	check "it has as many pages as before" says 6 ask heir hblocks b
	check "the one with reservations is right" all heir "take s 3 c
		hcheck c 3 1 2
		hcheck c 3 4 1
		hzero c 0 1
		hzero c 5 1"
	check "position, seals and mode are right" eval \
		"ask heir take s 4 d && says '$(recall stat)' ask heir stat d"
	check "a seal holds" refused EPERM ask heir hsize d 2
	check "the file of 1 GiB is right" all heir "take s 7 g
		hcheck g 6 1 1
		hzero g 0 1"
	check "no page was moved" same frames "$(frames heir)" "$(recall frames)"
	check "that has changed no pool" pools_are 40 20 5 0
	check "nor that of 1 GiB" gigantic_are 2 1 0
	check "a file that nobody took goes back to the pool" eval \
		"ask heir finish s && pools_are 40 22 3 0"
	check "nothing waits any more" nothing_waits
	check "another file can take all that is not reserved" all heir "hugetlb x 21
		hallocate x 0 19"
	check "and no more" refused ENOSPC ask heir hallocate x 19 1
	check "what is reserved can be written to" all heir "hfill c 8 0 1
		hfill c 8 3 1
		hfill c 8 5 1"
	check "then the pool is empty" pools_are 40 0 0 0
	check "pages go back to the pool" eval "ask heir close x && pools_are 40 19 0 0"
	check "the files can be preserved again" all heir "create t again
		preserve t 1 a
		preserve t 2 b
		preserve t 3 c
		preserve t 7 g
		close a
		close d
		create u forgotten
		hugetlb l 21
		hallocate l 0 3
		preserve u 1 l"
	handover "${kernels%% *}" "$SMALL"
}

stage_3() {
	check "there is an incoming handover" came_in 2
	check "what is more than hugepages= is surplus" pools_are 23 0 0 17
	check "without hugepages= there is what came in" gigantic_are 1 0 0
	start_agent heir
	check "the files are right" all heir "retrieve t again
		take t 1 a
		take t 2 b
		take t 7 g
		hcheck a 1 4 4
		hcheck b 2 0 5 199
		hcheck g 6 1 1"
	check "the pool is as before" pools_are 23 0 0 17
	check "the pool can be made larger: surplus pages become its own" eval \
		"echo 10 >$POOLS/hugepages-2048kB/nr_hugepages && pools_are 23 0 0 13"
	check "surplus pages of a file that nobody took are freed" eval \
		"ask heir finish t && pools_are 17 0 0 7"
	check "so are those of another file" eval \
		"ask heir close b && pools_are 11 0 0 1"
	check "the others go to the pool" eval "ask heir close a && pools_are 10 7 0 0"
	check "what nobody has asked for can be freed, and the pool is smaller" eval \
		"echo 1 >/sys/kernel/debug/kho/in/release && pools_are 7 7 0 0"
	check "so do those of 1 GiB" eval "ask heir close g && gigantic_are 1 1 0"
	check "the pool can be emptied" eval \
		"no_pages hugepages-2048kB && no_pages hugepages-1048576kB"
	check "nothing waits any more" nothing_waits
	finish
}

frames() {
	ask "$1" hframes a 0 8
	ask "$1" hframes b 0 5 199
	ask "$1" hframes g 1 1
}

# pools_are TOTAL FREE RESERVED SURPLUS: /proc/meminfo and sysfs show these numbers of pages
# of 2 MiB, and those of the nodes add up to them. Nodes do not count reserved pages.
pools_are() {
	local names="nr_hugepages free_hugepages resv_hugepages surplus_hugepages"

	same meminfo "$(sed -n 's/^HugePages_.*: *//p' /proc/meminfo | xargs)" "$1 $2 $3 $4" &&
		same sysfs "$(figures $POOLS/hugepages-2048kB "$names")" "$1 $2 $3 $4" || return
	same nodes "$(node_sums 2048 "nr_hugepages free_hugepages surplus_hugepages")" "$1 $2 $4"
}

# gigantic_are TOTAL FREE SURPLUS: the same for pages of 1 GiB.
gigantic_are() {
	local names="nr_hugepages free_hugepages surplus_hugepages"

	same sysfs "$(figures $POOLS/hugepages-1048576kB "$names")" "$1 $2 $3" &&
		same nodes "$(node_sums 1048576 "$names")" "$1 $2 $3"
}

figures() {
	local name

	for name in $2; do
		cat "$1/$name"
	done | xargs
}

node_sums() {
	local name

	for name in $2; do
		cat /sys/devices/system/node/node*/hugepages/hugepages-"$1"kB/"$name" |
			awk '{ sum += $1 } END { print sum }'
	done | xargs
}

no_pages() {
	echo 0 >"$POOLS/$1/nr_hugepages"
	same total "$(cat "$POOLS/$1/nr_hugepages")" 0
}
