# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A machine starts with sessions in memory that host/format/luo_write.py wrote: with all
# that the format allows, and with invalid sessions and files beside valid ones. The kernel
# takes the valid ones, and hands them over once more; host/format/luo_verify.py reads that
# handover. The memory of broken sessions is unchanged afterwards.

about="sessions that a program of the host wrote come in, and go out again"
kernels=main
words="liveupdate=on hugepages=16"
expect="LUO: |(memfd|hugetlb)-luo: a file is lost"
expect="$expect|KHO: (nothing to restore|cannot restore a vmalloc area)"

host_test() {
	local kind kinds="sessions broken flbs_pages flbs_count flbs_name flbs_lost"
	# shellcheck source=host/format/host.sh
	. "$root/host/format/host.sh"

	kinds+=" memfds spoilt hugetlb"
	echo "1..$(($(wc -w <<<"$kinds") * $(luo_results) + 2))"
	format_writer=luo_write.py
	make_stop
	for kind in $kinds; do
		boot_written luo-in "$kind"
		{
			guest_result
			verify
			verify_luo
			case $kind in sessions | broken) untouched "$kind" ;; esac
		} | sed "s/^\(ok\|not ok\) - /&$kind: /"
		cp "$vms/$name.vm.log" "$vms/$name-$kind.vm.log"
	done
	rm -f "$vms/$name".{ram,stop,bzImage,facts}
}
