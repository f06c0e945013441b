# SPDX-License-Identifier: GPL-2.0-only
#
# Firmware tells of memory with so many holes that the memory map has more entries than
# the boot parameters of x86 have room for, which is 128. The entries that do not fit
# are those of the highest memory, where scratch and nearly all preserved memory is. The
# decompressor has to read them, too: each kernel unpacks itself, in scratch, at an address
# that it chooses. Scratch is larger than by default, so that there are several addresses.
#
# When the next kernel has marked scratch, memblock has 128 regions, as many as its first
# array has room for. A larger array has to be below 1 MiB then, where no scratch is.
#
# shellcheck shell=dash

about="a memory map of more than 128 entries reaches the next kernel"
kernels="main next"
machines=x86
words="test_kho_holes=121 kho_scratch=600%"
mem=5G
stages=5
plan=25

stage_1() {
	check "the memory map has more entries than boot parameters" many_entries
	check "scratch leaves memblock no room for more regions" memblock_full
	check "a file can be kept" keep letter 10M
	remember ram "$(ram)"
	note_down
	switch_off
	# The next kernel learns of the holes only from this kernel.
	handover next
}

later_stage() {
	check "there is an incoming handover" came_from "$(recall release)" $((kho_stage - 1))
	check "the memory map has as many entries as before" many_entries
	check "the same pages are RAM" same RAM "$(ram)" "$(recall ram)"
	check "the file is intact" intact letter
	check "no memory is lost" near MemTotal "$(mem_total)" "$(recall total)" 512
	text_address >>"$STATE/places"
	[ "$kho_stage" -lt "$stages" ] || finish_all
	remember release "$(uname -r)"
	switch_off
	handover next
}

finish_all() {
	check "the kernels chose their addresses" two_places
	check "the file can be dropped" forget letter
	finish
}

# From now on a kernel that is loaded unpacks itself, and chooses its address then.
switch_off() {
	echo 0 >/sys/module/kernel/parameters/kho_load_ahead
}

# Prints the ranges between the holes. Parameters that kexec passes split only other ranges.
ram() {
	sed -n 's/^\(08[0-9a-f]*-08[0-9a-f]*\) : System RAM/\1/p' /proc/iomem
}

many_entries() {
	local ranges

	# Each hole is an entry, too.
	ranges=$(grep -c '^[0-9a-f-]* : System RAM' /proc/iomem)
	[ "$ranges" -gt 64 ] || { echo "only $ranges ranges of RAM"; return 1; }
}

# Counts the regions of memblock that the next kernel has when scratch is marked: the ranges
# in this kernel's log, which are from before it reserved scratch, and one more for each
# border of scratch that splits a range. Neighbouring regions of scratch become one.
memblock_full() {
	local start size last nr

	regions out | while read -r start size; do
		echo border $((start))
		echo border $((start + size))
	done >/tmp/regions
	dmesg | sed -n 's/.* node .*: \[mem \(0x[0-9a-f]*\)-\(0x[0-9a-f]*\)\]$/\1 \2/p' |
		while read -r start last; do
			echo range $((start)) $((last))
		done >>/tmp/regions
	nr=$(awk '
		$1 == "border" { borders[$2]++ }
		$1 == "range" {
			nr++
			for (at in borders)
				nr += borders[at] == 1 && at + 0 > $2 && at + 0 <= $3
		}
		END { print nr }' /tmp/regions)
	[ "$nr" -eq 127 ] || [ "$nr" -eq 128 ] || { echo "$nr regions"; return 1; }
}

two_places() {
	local places
	places=$(sort -u "$STATE/places" | xargs)

	note "places: $places" >/dev/kmsg
	[ "$(echo "$places" | wc -w)" -ge 2 ] || { echo "only $places"; return 1; }
}
