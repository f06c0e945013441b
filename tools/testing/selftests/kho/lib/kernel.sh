# SPDX-License-Identifier: GPL-2.0-only
#
# lib/kernel.sh - what the running kernel tells about itself
#
# Owns the kernel log of this boot, the results of KUnit and kmemleak, faults, and where
# in physical memory the kernel is.
#
# shellcheck shell=dash

# has_said PATTERN: a line of the kernel log of this boot matches.
has_said() {
	dmesg | grep -qE "$1" || { echo "the log has no /$1/"; return 1; }
}

# has_not_said PATTERN: no line of the kernel log of this boot matches.
has_not_said() {
	! dmesg | grep -E "$1"
}

# The KUnit suites of KHO ran at boot, and each of their cases passed.
suites_pass() {
	local results=/sys/kernel/debug/kunit

	grep -q '^ok 1 kho_' $results/kho_*/results &&
		! grep '^ *not ok' $results/kho_*/results
}

# kmemleak reports an object as a leak when two scans find no pointer to it.
no_leaks() {
	local leaks=/sys/kernel/debug/kmemleak

	echo scan >$leaks && echo scan >$leaks && ! grep . $leaks
}

# Lets allocations fail in each task that asks for it, also allocations that may sleep.
prepare_faults() {
	local dir

	for dir in failslab fail_page_alloc; do
		dir=/sys/kernel/debug/$dir
		echo 0 >$dir/verbose && echo 0 >$dir/ignore-gfp-wait || return
	done
	echo 0 >/sys/kernel/debug/fail_page_alloc/min-order
	echo 0 >/sys/kernel/debug/fail_page_alloc/ignore-gfp-highmem
}

# The physical address of the kernel's code, from the line
# "  1400000-1bfffff : Kernel code" of /proc/iomem.
text_address() {
	sed -n 's/^ *\([0-9a-f]*\)-.*Kernel code/0x\1/p' /proc/iomem
}

# The last physical address of the kernel: "Kernel bss" is its last part, and
# all parts are in one allocation.
text_end() {
	sed -n 's/.*-\([0-9a-f]*\) : Kernel bss/0x\1/p' /proc/iomem
}
