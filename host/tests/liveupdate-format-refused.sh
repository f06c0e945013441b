# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A machine starts with live update state whose blob or list of sessions is broken. The
# kernel says in one line what is wrong, and live update works without incoming sessions. All
# memory that was handed over for them waits, and is unchanged.

about="live update state that breaks the format is refused, and nothing else is"
kernels=main
words=liveupdate=on
expect="LUO: .*no session is there to retrieve"

host_test() {
	local kind kinds
	# shellcheck source=host/format/host.sh
	. "$root/host/format/host.sh"

	kinds=$(python3 -B "$format/luo_write.py" --bad)
	echo "1..$((2 * $(wc -w <<<"$kinds")))"
	format_writer=luo_write.py
	make_stop
	for kind in $kinds; do
		boot_written luo-refused "$kind" || true
		{ guest_result && untouched "$kind"; } | sed "s/^\(ok\|not ok\) - /&$kind: /"
		cp "$vms/$name.vm.log" "$vms/$name-$kind.vm.log"
	done
	rm -f "$vms/$name".{ram,stop,bzImage,facts}
}
