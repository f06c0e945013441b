# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A machine starts with a handover that has one thing wrong. The kernel says what is wrong,
# and boots without a handover.

about="handovers that break the format are refused"
kernels=main
expect="KHO: .*(refused|ignored)"

host_test() {
	local kind kinds
	# shellcheck source=host/format/host.sh
	. "$root/host/format/host.sh"

	kinds=$(python3 -B "$format/write.py" --bad)
	echo "1..$(wc -w <<<"$kinds")"
	make_stop
	for kind in $kinds; do
		boot_written refused "$kind" || true
		guest_result | sed "s/the guest .*/$kind/"
		cp "$vms/$name.vm.log" "$vms/$name-$kind.vm.log"
	done
	rm -f "$vms/$name".{ram,stop,bzImage,facts}
}
