# SPDX-License-Identifier: GPL-2.0-only
#
# What callers must not do, under a kernel with CONFIG_KEXEC_HANDOVER_DEBUG: it
# is warned of, with who and where, and what is right is not.
#
# shellcheck shell=dash

about="mistakes of callers are warned of with KEXEC_HANDOVER_DEBUG"
kernels="debug"
mem=1G
stages=2
plan=10
limit=180
expect="WARNING: CPU|Call Trace|KHO: .*preserve|kho_check_"

readonly PAGE="0x0*1000 bytes at 0x[0-9a-f]*"

stage_1() {
	check "what is right is not warned of" keep_and_forget
	check "so far there is no warning" has_not_said "WARNING"
	warned_of scratch "preserve_scratch.* preserves $PAGE, which lie in scratch"
	warned_of twice "preserve_twice.* preserves $PAGE, of which some are preserved"
	warned_of unknown "unpreserve_unknown.* unpreserves $PAGE, which are not preserved"
	warned_of part "unpreserve_part.* unpreserves $PAGE, which are not preserved"
	warned_of free "page of order 0 at 0x[0-9a-f]* is freed, but preserved"
	handover debug
}

stage_2() {
	check "the file is intact" intact letter
	check "it can be dropped" forget letter
	check "there is no warning" has_not_said "WARNING"
	finish
}

keep_and_forget() {
	keep letter 3M && keep note 1M 4 && forget note
}

# warned_of MISTAKE PATTERN
warned_of() {
	local before
	before=$(dmesg | grep -c "WARNING:")

	echo "$1" >/sys/kernel/debug/test_kho_misuse
	check "$1 is warned of, once" warned_once "$before" "$2"
}

warned_once() {
	has_said "KHO: $2" && same warnings "$(dmesg | grep -c "WARNING:")" $(($1 + 1))
}
