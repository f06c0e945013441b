# SPDX-License-Identifier: GPL-2.0-only
#
# What can be tested of KHO without a kexec: debugfs, the count of preserved folios,
# and what the test client refuses. kho_live.sh runs the same checks on any machine.
#
# shellcheck shell=dash

about="keeping and dropping files in the running kernel"
kernels="main"
stages=1
plan=14

stage_1() {
	live_checks
	finish
}

live_checks() {
	local before of_order_3
	before=$(preserved)
	of_order_3=$(kho_stat out preserved_order_3)

	check "KHO is on" kho_enabled
	check "the root FDT says kho-v4" grep -q kho-v4 "$KHO/out/fdt"
	check "debugfs is for root only" root_only
	check "a file can be kept" keep kho-live 3M 3
	check "the file can be read" intact kho-live
	check "a second file of that name is refused" fails keep kho-live 3M
	check "the file is new, not restored" same origin "$(client_stat kho-live origin)" new
	check "its folios are counted as preserved" same folios \
		"$(kho_stat out preserved_order_3)" $((of_order_3 + (3 << 20) / (8 * PAGE_SIZE)))
	check "the file can be dropped" forget kho-live
	check "dropping it a second time fails" fails forget kho-live
	check "nothing of it is preserved any more" same preserved "$(preserved)" "$before"
	check "a path as name is refused" fails keep ../kho-live 1M
	check "an order that does not exist is refused" fails keep kho-live 1M $((MAX_ORDER + 1))
	check "thirty files leave no trace" thirty_times
}

# All preserved folios, including the client's own.
preserved() {
	kho_stat out preserved_folios
}

root_only() {
	local open
	open=$(find "$KHO" -type f -perm /077)
	[ -z "$open" ] || { echo "open to others: $open"; return 1; }
}

fails() {
	! "$@" 2>/dev/null || { echo "it worked"; return 1; }
}

thirty_times() {
	local before free
	before=$(preserved)
	free=$(mem_free)

	for _ in $(seq 30); do
		keep kho-live 1M && forget kho-live || return
	done
	same preserved "$(preserved)" "$before" &&
		near MemFree "$(mem_free)" "$free" 2048
}
