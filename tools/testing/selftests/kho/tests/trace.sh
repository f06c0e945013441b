# SPDX-License-Identifier: GPL-2.0-only
#
# What the tracepoints record: each folio that is preserved, the phases of the next
# kernel's boot, and the same folios when they are restored.
#
# shellcheck shell=dash

about="tracepoints for preserving, restoring and the phases of boot"
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
	check "each of them was preserved" same "bad ones" "$(recall out | grep -vc result=0)" 0
	check "a file can be dropped" eval "keep note 64K 4 && forget note"
	check "unpreserving its folio was traced, too" same folio \
		"$(events kho_unpreserve order=4)" "$(events kho_preserve order=4)"
	check "a run can be kept" create_area "pages 777 5"
	check "the run was traced as one event" happened kho_preserve "nr=777 result=0"
	check "no incoming handover was traced" same events "$(events kho_accept | wc -l)" 0
	handover debug "$words"
}

stage_2() {
	check "the file is intact" intact letter
	check "each of its folios was traced again" same folios \
		"$(events kho_restore order=3 | sort)" "$(recall out | sort)"
	check "the run was traced again" happened kho_restore "nr=777 result=0"
	check "failed restores were traced" eval "events kho_restore result=-2 >/dev/null"
	check "accepting the handover was traced" happened kho_accept
	check "the end of struct page initialisation was traced" happened kho_finish
	check "freeing the map was traced" happened kho_drop
	# The handover was accepted long before, but a core_initcall is the first that can
	# trace it.
	check "these events have the right order" \
		same order "$(phases)" "kho_finish kho_accept kho_drop"
	check "nothing was unclaimed when the map was freed" \
		same event "$(events kho_drop unclaimed_folios=0 | wc -l)" 1
	finish
}

trace() {
	mount | grep -q ' on /sys/kernel/tracing ' ||
		mount -t tracefs none /sys/kernel/tracing
	cat /sys/kernel/tracing/trace
}

# events NAME [WORDS]: the recorded events, without task and time
events() {
	trace | sed -n "s/.* $1: \(.*\)/\1/p" | grep -E -- "(^| )${2:-.*}( |\$)"
}

# happened NAME [WORDS]: the event was recorded exactly once.
happened() {
	same events "$(events "$@" | wc -l)" 1
}

phases() {
	trace | grep -o 'kho_[a-z]*: unclaimed' | cut -d : -f 1 | xargs
}
