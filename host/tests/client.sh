# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The test client that uses each function of the interface is compiled as a module out
# of the tree, with W=1 and with warnings as errors. With a kernel that has KHO, each
# function must be exported to GPL modules. With a kernel that has no KHO, the module
# must use no function of it. That takes another kernel, so it is only done with
# host/vm/test.sh client:without=nokho
#
# shellcheck disable=SC2154 # "without" is a setting

about="a module with each function compiles with W=1${without:+, with KHO and without}"
kernels="main${without:+ $without}"

host_test() {
	local dir=$vms/${name%%:*}.build kernel

	echo "1..$((3 * $(wc -w <<<"$kernels")))"
	for kernel in $kernels; do
		rm -rf "$dir"
		mkdir -p "$dir"
		cp "$root/lib/test_kexec_handover/api.c" "$dir"
		echo 'obj-m := api.o' >"$dir/Kbuild"
		result "$kernel: compiles" make_module "$kernel"
		if [[ $kernel == main ]]; then
			result "$kernel: each function is used" calls "$(functions)"
		else
			result "$kernel: none of them is left" calls_none
		fi
		result "$kernel: is a module" test -s "$dir/api.ko"
	done
	rm -rf "$dir"
}

# make_module KERNEL: vmlinux.symvers has all exported functions, since these kernels are
# built without modules.
make_module() {
	local kernel_make=(make -C "$tree" O="$build/kernel/$1" ARCH=x86_64)
	# These have the same values as in host/build/kernel.sh. Otherwise the next run of that
	# script would build the whole image again.
	local -x KBUILD_BUILD_USER=kho KBUILD_BUILD_HOST=build
	(
		lock && "${kernel_make[@]}" modules_prepare &&
			"${kernel_make[@]}" M="$dir" W=1 KCFLAGS=-Werror \
				KBUILD_EXTRA_SYMBOLS="$build/kernel/$1/vmlinux.symvers" modules
	)
}

# Prints the functions of the interface whose type the client checks, without those that
# only the kernel itself calls.
functions() {
	sed -n 's/^HAS_TYPE(\(\w*\),.*/\1/p' "$dir/api.c" | grep -vxE 'kho_(memory_init|populate)'
}

# Prints the functions that the module calls.
undefined() {
	nm -u "$dir/api.o" | awk '{ print $2 }'
}

# calls FUNCTIONS: does the module call all of them?
calls() {
	local missing
	[[ $(wc -l <<<"$1") -ge 18 ]] || { echo "the client checks the type of too few functions: $1"; return 1; }
	missing=$(comm -23 <(sort <<<"$1") <(undefined | sort))
	[[ -z $missing ]] || { echo "not used: $missing"; return 1; }
}

calls_none() {
	! undefined | grep kho
}
