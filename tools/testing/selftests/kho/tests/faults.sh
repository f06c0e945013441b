# SPDX-License-Identifier: GPL-2.0-only
#
# In each call of KHO, each allocation fails once, and while a kernel is loaded, many
# allocations fail. The call returns an error and changes nothing. What was preserved
# before arrives in the next kernel.
#
# shellcheck shell=dash

about="each allocation fails once: the call returns an error and changes nothing"
kernels="debug"
words="test_kho_faults"
mem=1G
limit=240
stages=2
plan=14
expect="KHO: no memory to restore|its kernel will unpack itself|vmalloc error|Call Trace"

FAULTS=/sys/kernel/debug/test_kho_faults

stage_1() {
	check "KHO is on" kho_enabled
	# The order must not be one for which a failing call expects no leaf in the map.
	check "a file can be kept" keep letter 20M 0
	check "allocations can be made to fail" prepare_faults
	cat $FAULTS/calls >/tmp/calls
	note "$(cat /tmp/calls)"
	for name in preserve_folio preserve_pages preserve_vmalloc alloc_preserve add_subtree; do
		check "$name changes nothing when it fails" unharmed "$name"
	done
	check "kexec_file_load changes nothing when it fails" loads_fail
	note_down
	handover debug "$words"
}

stage_2() {
	check "no memory is lost" came_from "$(recall release)" 1
	check "the file is intact" intact letter
	check "allocations can be made to fail" prepare_faults
	cat $FAULTS/calls >/tmp/calls
	note "$(cat /tmp/calls)"
	check "restore_vmalloc changes nothing when it fails" unharmed restore_vmalloc
	check "each restored area has its own content" \
		has_not_said "test_kho: wrong content of area"
	finish
}

# unharmed NAME: each fault in this call was harmless. Reads /tmp/calls, which has the
# first run of the calls. A later run would see fewer allocations, because the map keeps
# what it allocated.
unharmed() {
	grep -qE "^$1 faults [1-9][0-9]* errors [1-9][0-9]* wrong 0$" /tmp/calls ||
		{ grep "^$1 " /tmp/calls; return 1; }
}

# Makes each of the first allocations fail, and then only some, because most of the later
# ones are alike: one page each.
loads_fail() {
	local nth=1 failed=0 preserved

	preserved=$(cat $FAULTS/preserved)
	pack_initrd
	while :; do
		if kexec_load fail $nth load /boot/debug /tmp/initrd "quiet" >/tmp/said 2>&1; then
			grep -q "no such" /tmp/said && break
		else
			grep -q "error 12" /tmp/said || { echo "$nth: $(cat /tmp/said)"; return 1; }
			failed=$((failed + 1))
			same loaded "$(cat /sys/kernel/kexec_loaded)" 0 || return
		fi
		same preserved "$(cat $FAULTS/preserved)" "$preserved" || return
		kexec_load unload || return
		nth=$((nth + 1 + nth / 8))
	done
	kexec_load unload
	note "$failed of the loads failed, the last one at allocation $nth"
	[ $failed -ge 4 ]
}
