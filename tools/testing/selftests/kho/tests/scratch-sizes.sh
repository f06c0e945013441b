# SPDX-License-Identifier: GPL-2.0-only
#
# kho_scratch= with sizes: scratch has these sizes. Later kernels keep scratch as it is,
# whatever their command line says.
#
# shellcheck shell=dash

about="kho_scratch=64M,128M,64M"
kernels="main next"
words="kho_scratch=64M,128M,64M"
mem=1G
stages=2
plan=7

stage_1() {
	check "scratch has the sizes of kho_scratch=" \
		same sizes "$(sizes out)" "$(in_blocks 64 128 64)"
	check "scratch is aligned" aligned
	check "a file can be kept" keep letter 30M
	remember regions "$(regions out)"
	note_down
	handover next kho_scratch=100M,100M,100M
}

stage_2() {
	check "no memory is lost" arrived 1
	check "the incoming scratch is unchanged" same in "$(regions in)" "$(recall regions)"
	check "the outgoing scratch is unchanged" same out "$(regions out)" "$(recall regions)"
	check "the file is intact" intact letter
	finish
}

# Regions are aligned to the largest block of the page allocator.
aligned() {
	local start size block=$((BLOCK_MIB << 20))

	regions out >/tmp/regions
	while read -r start size; do
		[ $((start % block)) -eq 0 ] && [ $((size % block)) -eq 0 ] && continue
		echo "$start, $size is not aligned to $BLOCK_MIB MiB"
		return 1
	done </tmp/regions
}
