# SPDX-License-Identifier: GPL-2.0-only
#
# memtest= and memory_corruption_check= write to free memory before the kernel knows
# what was preserved. They must leave that alone, also when no checksum tells that
# something was overwritten.
#
# shellcheck shell=dash

about="memtest=1 on the next kernel overwrites nothing that is preserved"
kernels="main next"
limit=120
stages=3
plan=13

stage_1() {
	check "a file can be kept" keep letter 10M
	check "folios can be preserved" folios add "0 1000 scattered phase=late"
	note_down
	handover next memtest=1
}

stage_2() {
	check "memory was tested" has_said "early_memtest: # of tests: 1"
	check "the log says what was left out" has_said "only scratch is tested"
	check "there is an incoming handover" came_from "$(recall release)" 1
	check "the file is intact" intact letter
	check "the folios are intact" folios_fine
	note_down
	handover main memtest=2 kho_checksum=off kho=strict memory_corruption_check=1
}

stage_3() {
	check "memory was tested" has_said "early_memtest: # of tests: 2"
	check "there is an incoming handover" came_from "$(recall release)" 2
	check "the file is intact" intact letter
	check "each restored folio is like a new one" folios_sound
	check "no memory is lost" near MemTotal "$(mem_total)" "$(recall total)" 512
	check "the file can be dropped" forget letter
	finish
}
