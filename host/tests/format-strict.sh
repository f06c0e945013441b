# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Handovers with one thing wrong, found in each phase in which one is refused,
# and kho=strict: the kernel says what, and stops. Most of this is before panic=
# counts, so the machine waits for the time limit.

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
	# What is in order is accepted as ever.
	in_and_out small | sed -n 's/the guest found all in order/and takes what is in order/p'
}

# stopped KIND: it said why, as the last thing that it did
stopped() {
	local why log=$vms/$name.vm.log
	why=$(sed -n "s/^fact_refused='\(.*\)'/\1/p" "$vms/$name.facts")
	why="Kernel panic - not syncing: KHO: handover refused: ${why%;}"

	if grep -q "$why" "$log" && ! grep -qE "Memory: |Run /init" "$log"; then
		echo "ok - $1"
	else
		echo "not ok - $1"
		echo "# not in the log, or not the end of it: $why"
	fi
}
