# SPDX-License-Identifier: GPL-2.0-only
#
# Mistakes that callers can make, under a kernel with CONFIG_KEXEC_HANDOVER_DEBUG: the
# kernel warns of each, and names the caller and the memory. It does not warn of
# correct calls.
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
	check "correct calls work" keep_and_forget
	check "correct calls cause no warning" has_not_said "WARNING"
	warned_of scratch "preserve_scratch.* preserves $PAGE, which lie in scratch"
	warned_of twice "preserve_twice.* preserves $PAGE, of which some are preserved"
	warned_of unknown "unpreserve_unknown.* unpreserves $PAGE, which are not preserved"
	warned_of part "unpreserve_part.* unpreserves $PAGE, which are not preserved"
	warned_of free "page of order 0 at 0x[0-9a-f]* is freed, but preserved"
	handover debug
}

stage_2() {
	check "the file is intact" intact letter
	check "the file can be dropped" forget letter
	check "there is no warning" has_not_said "WARNING"
	finish
}

keep_and_forget() {
	keep letter 3M && keep note 1M 4 && forget note
}

# warned_of MISTAKE PATTERN: makes the mistake; one warning that matches PATTERN follows.
warned_of() {
	local before
	before=$(dmesg | grep -c "WARNING:")

	echo "$1" >/sys/kernel/debug/test_kho_misuse
	check "the kernel warns of $1, once" warned_once "$before" "$2"
}

warned_once() {
	has_said "KHO: $2" && same warnings "$(dmesg | grep -c "WARNING:")" $(($1 + 1))
}
