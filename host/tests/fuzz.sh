# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# tools/testing/kho compiles the kernel's code that reads a handover for the host, with
# sanitizers, and gives it 20,000 damaged handovers. KHO_FUZZ in the environment has
# other options for the fuzzer.

about="damaged handovers, read by the kernel's code compiled for the host"
kernels=

host_test() {
	local copy=$vms/$name.build options=()

	rm -rf "$copy"
	copy_tools "$copy" memblock kho
	if ! make -C "$copy/tools/testing/kho" fuzz >"$vms/$name.out" 2>&1; then
		tail -20 "$vms/$name.out" | sed 's/^/# /'
		# host/checks/mutate.sh looks for this.
		echo '# the fuzzer does not compile'
	fi
	read -ra options <<<"${KHO_FUZZ-}"
	# The sanitizers print an error that ends the program on standard error.
	ASAN_OPTIONS=verify_asan_link_order=0 "$copy/tools/testing/kho/fuzz" "${options[@]}" 2>"$vms/$name.out" ||
		grep -m 3 -E 'ERROR|runtime error|#0' "$vms/$name.out" | sed 's/^/# /'
	rm -rf "$copy"
}
