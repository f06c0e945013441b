# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# tools/testing/kho: what the kernel makes of 20,000 damaged handovers, compiled
# for the host, with sanitizers. KHO_FUZZ has other options for the fuzzer.

about="damaged handovers, in a copy of the code for the host"
kernels=

host_test() {
	local copy=$vms/$name.build options=()

	rm -rf "$copy"
	copy_tools "$copy" memblock kho
	if ! make -C "$copy/tools/testing/kho" fuzz >"$vms/$name.out" 2>&1; then
		tail -20 "$vms/$name.out" | sed 's/^/# /'
	fi
	read -ra options <<<"${KHO_FUZZ-}"
	# An error that ends the program is said on standard error.
	ASAN_OPTIONS=verify_asan_link_order=0 "$copy/tools/testing/kho/fuzz" "${options[@]}" 2>"$vms/$name.out" ||
		grep -m 3 -E 'ERROR|runtime error|#0' "$vms/$name.out" | sed 's/^/# /'
	rm -rf "$copy"
}
