# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The same as fuzz, for what the kernel reads of sessions. LUO_FUZZ in the environment has
# other options for the fuzzer.

about="damaged sessions, read by the kernel's code compiled for the host"
kernels=

host_test() {
	fuzz_with luo_fuzz
}

# fuzz_with FUZZER: compiles and runs this fuzzer of tools/testing/kho
fuzz_with() {
	local copy=$vms/$name.build options=()

	rm -rf "$copy"
	copy_tools "$copy" memblock kho
	if ! make -C "$copy/tools/testing/kho" "$1" >"$vms/$name.out" 2>&1; then
		grep -m 20 -E 'error|undefined|\*\*\*' "$vms/$name.out" | sed 's/^/# /'
		# host/checks/mutate.sh looks for this.
		echo '# the fuzzer does not compile'
	fi
	read -ra options <<<"${LUO_FUZZ-}"
	# The sanitizers print an error that ends the program on standard error.
	ASAN_OPTIONS=verify_asan_link_order=0 "$copy/tools/testing/kho/$1" "${options[@]}" 2>"$vms/$name.out" ||
		grep -m 3 -E 'ERROR|runtime error|#0' "$vms/$name.out" | sed 's/^/# /'
	rm -rf "$copy"
}
