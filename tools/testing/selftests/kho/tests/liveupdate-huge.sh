# SPDX-License-Identifier: GPL-2.0-only
#
# A file of huge pages: they stay huge over the kexec, also into a kernel that does not make
# huge pages, and that kernel can split them.
#
# shellcheck shell=dash

about="a file of huge pages, into a kernel that makes none, and back"
kernels="main next"
words="liveupdate=on"
mem=1G
pages=4k
stages=3
plan=27
limit=120

readonly THP=/sys/kernel/mm/transparent_hugepage
# 64 MiB
readonly PAGES=16384

stage_1() {
	start_agent keeper
	check "a session can be created" ask keeper create s huge
	check "huge pages are given to who asks for them" eval "echo advise >$THP/shmem_enabled"
	check "a file can be filled" all keeper "memfd a
		size a $((PAGES * PAGE_SIZE))
		huge a 5 $PAGES"
	check "it has huge pages" huge_mib 64
	check "it can be preserved" ask keeper preserve s 1 a
	check "it has huge pages as before" huge_mib 64
	# A small page is written into a hole that is as large as a huge page.
	check "a file with a hole can be preserved" all keeper "memfd b
		size b $((PAGES * PAGE_SIZE))
		huge b 6 1024
		preserve s 2 b
		poke b 6 1030 1"
	check "all that is huge" huge_mib 68
	handover next $LUO_ON transparent_hugepage=never
}

stage_2() {
	check "there is an incoming handover" came_in 1
	check "no huge pages are made here" eval "echo never >$THP/shmem_enabled"
	start_agent heir
	check "the files can be taken" all heir "retrieve s huge
		take s 1 a
		take s 2 b"
	check "the content is right" all heir "check a 5 0 $PAGES
		check b 6 0 1024
		check b 6 1030 1
		zero b 1024 6
		zero b 1031 $((PAGES - 1031))"
	check "the session can be finished" ask heir finish s
	check "the pages are still huge" huge_mib 68
	check "a huge page can be taken apart" all heir "punch a 100 10
		zero a 100 10
		check a 5 0 100
		check a 5 110 $((PAGES - 110))"
	check "the file can be preserved as it is now" all heir "create n again
		preserve n 1 a"
	check "a short file can be preserved" all heir "memfd e
		size e $((300 * PAGE_SIZE))
		write e 7 0 300
		preserve n 2 e"
	check "nothing waits any more" nothing_waits
	handover main $LUO_ON
}

stage_3() {
	local free

	check "there is an incoming handover" came_in 2
	start_agent heir
	# A huge page for the page written below would begin at 0, where pages still wait.
	check "each file gets huge pages" eval "echo always >$THP/shmem_enabled"
	check "a short file can be written to after its end" all heir "retrieve s again
		take s 2 e
		write e 8 310 1
		check e 7 0 300
		zero e 300 10
		check e 8 310 1"
	check "the file can be taken" ask heir take s 1 a
	check "the content is right" all heir "check a 5 0 100
		zero a 100 10
		check a 5 110 $((PAGES - 110))"
	check "all but one page are still huge" huge_mib 62
	check "the session can be finished" ask heir finish s
	free=$(mem_free)
	check "the file can be closed" ask heir close a
	check "its memory is free again" came_back "$free" $(((PAGES - 10) * PAGE_SIZE))
	finish
}
