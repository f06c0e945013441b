# SPDX-License-Identifier: GPL-2.0-only
#
# What the tracepoints tell: each folio on its way out, the phases of the next
# kernel's boot, and the same folios on their way in.
#
# shellcheck shell=dash

about="tracepoints of what is preserved, restored, and of the boot"
kernels="debug"
words="trace_event=kho trace_buf_size=1M"
mem=2G
stages=2
plan=17
limit=240
expect="KHO: nothing to restore"

stage_1() {
	check "a file can be kept" keep letter 3M 3
	remember out "$(events kho_preserve order=3)"
	check "each of its folios was traced" same folios "$(recall out | wc -l)" 96
	check "and preserved" same "bad ones" "$(recall out | grep -vc result=0)" 0
	check "a file can be dropped" eval "keep note 64K 4 && forget note"
	check "its folio was traced twice" same folio \
		"$(events kho_unpreserve order=4)" "$(events kho_preserve order=4)"
	check "a run can be kept" create_area "pages 777 5"
	check "it was traced as one" happened kho_preserve "nr=777 result=0"
	check "nothing came in" same events "$(events kho_accept | wc -l)" 0
	handover debug "$words"
}

stage_2() {
	check "the file is intact" intact letter
	check "each of its folios was traced again" same folios \
		"$(events kho_restore order=3 | sort)" "$(recall out | sort)"
	check "so was the run" happened kho_restore "nr=777 result=0"
	check "and what there was not" eval "events kho_restore result=-2 >/dev/null"
	check "the handover was accepted" happened kho_accept
	check "the struct pages got ready" happened kho_finish
	check "the map was given back" happened kho_drop
	# Accepted long before, but nothing can be traced until a core_initcall.
	check "in this order" same order "$(phases)" "kho_finish kho_accept kho_drop"
	check "nothing was left then" same event "$(events kho_drop unclaimed_folios=0 | wc -l)" 1
	finish
}

trace() {
	mount | grep -q ' on /sys/kernel/tracing ' ||
		mount -t tracefs none /sys/kernel/tracing
	cat /sys/kernel/tracing/trace
}

# events NAME [WORDS]: what was traced, without who and when
events() {
	trace | sed -n "s/.* $1: \(.*\)/\1/p" | grep -E -- "(^| )${2:-.*}( |\$)"
}

# happened NAME [WORDS]: once
happened() {
	same events "$(events "$@" | wc -l)" 1
}

phases() {
	trace | grep -o 'kho_[a-z]*: unclaimed' | cut -d : -f 1 | xargs
}
