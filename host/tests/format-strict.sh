# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A machine with kho=strict starts with a handover that has one thing wrong. The kernel
# says what is wrong, and stops. There is one such handover for each phase of the boot that
# can refuse one. Most of these phases come before the kernel parses panic=, so the machine
# runs until the time limit.

about="kho=strict stops where a handover is refused"
kernels=main
words="kho=strict earlyprintk=serial"

host_test() {
	local kind kinds="setup_data_size version scratch_align twice"
	# shellcheck source=host/format/host.sh
	. "$root/host/format/host.sh"

	echo "1..$(($(wc -w <<<"$kinds") + 1))"
	make_stop
	for kind in $kinds; do
		limit=10 boot_written refused "$kind" || true
		stopped "$kind"
		cp "$vms/$name.vm.log" "$vms/$name-$kind.vm.log"
	done
	# A handover that is in order is accepted with kho=strict, too.
	in_and_out small | sed -n 's/the guest found all in order/and takes what is in order/p'
}

# stopped KIND: reports whether the reason is that of a panic, and whether the kernel did
# nothing after it
stopped() {
	local why log=$vms/$name.vm.log
	why=$(sed -n "s/^fact_refused='\(.*\)'/\1/p" "$vms/$name.facts")
	why="Kernel panic - not syncing: KHO: handover refused: ${why%;}"

	if grep -q "$why" "$log" && ! grep -qE "Memory: |Run /init" "$log"; then
		echo "ok - $1"
	else
		echo "not ok - $1"
		echo "# this is not in the log, or the kernel went on after it: $why"
	fi
}
