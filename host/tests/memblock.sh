# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The kernel's own simulator of memblock, tools/testing/memblock, has our tests of scratch
# in it. Building it leaves links beside its sources, so it is built in a copy.

about="the kernel's memblock simulator, with scratch"
kernels=

host_test() {
	local dir=$vms/$name.build log=$vms/$name.out

	rm -rf "$dir" "$log"
	simulate plain '' && simulate numa NUMA=1 && simulate numa-movable NUMA=1 --movable-node
	cat "$log"
	echo "1..$(grep -cE '^(not )?ok' "$log")"
	rm -rf "$dir" "$log"
}

# simulate VARIANT MAKE-VARIABLE [OPTION]: writes one result for each test to the log, and
# one that says whether the simulator ran to its end and ran our tests
simulate() {
	local copy=$dir/build$2 main
	main=$copy/tools/testing/memblock
	if [[ ! -d $copy ]]; then
		copy_tools "$copy" memblock
		make -C "$main" -j2 ${2:+"$2"} main >"$dir/make.log" 2>&1 || tail -20 "$dir/make.log" | sed 's/^/# /'
	fi
	# stdbuf, since a test that fails calls abort(), which loses buffered output.
	if ASAN_OPTIONS=verify_asan_link_order=0 stdbuf -oL "$main/main" --verbose ${3:+"$3"} >"$dir/out" 2>&1 &&
		grep -q '^ok .*: kho_scratch: .*: passed' "$dir/out"; then
		echo "ok - $1: ran to its end"
	else
		echo "not ok - $1: ran to its end"
		tail -3 "$dir/out" | sed 's/^/# /'
	fi >>"$log"
	sed -nE "s/^((not )?ok) [0-9]+ /\1 - $1 /p" "$dir/out" >>"$log"
}
