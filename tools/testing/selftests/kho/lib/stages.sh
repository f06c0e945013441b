# SPDX-License-Identifier: GPL-2.0-only
#
# lib/stages.sh - the course of a scenario over several kernels
#
# Owns how a stage begins, how it hands over to the next stage, how the scenario
# ends, and what one stage tells a later one: the KTAP counts on the kernel
# command line, and everything else in /state, which travels in the initramfs.
#
# shellcheck shell=dash disable=SC2034,SC2154

STATE=/state

# judge.awk knows the lines "stage", "leave" and "end". It counts KTAP only
# between "stage" and "leave" or "end": the kernel's own KTAP, which KUnit
# prints, comes before that.
marker() {
	echo "kho-test: $*"
}

begin_stage() {
	KTAP_TESTNO=${kho_n:-1}
	KTAP_CNT_FAIL=${kho_fail:-0}
	KTAP_CNT_SKIP=${kho_skip:-0}
	KTAP_CNT_PASS=$((KTAP_TESTNO - 1 - KTAP_CNT_FAIL - KTAP_CNT_SKIP))

	# Each time that pages of two migrate types get into one page block, the zone
	# keeps one block free for a while. Where a block has 512 MiB, that is much of
	# a guest's memory. kcompactd takes as much out of the free lists while it
	# looks for places to move pages to.
	if [ "$PAGE_SIZE" -ne 4096 ]; then
		echo 0 >/proc/sys/vm/watermark_boost_factor
		echo 0 >/proc/sys/vm/compaction_proactiveness
	fi

	marker "stage $kho_stage of $kho_test on $(uname -r)"
	[ "$kho_stage" -gt 1 ] && return
	echo "KTAP version 1"
	# A scenario that finds out in the guest how many results there are
	# has plan=later and calls ktap_set_plan itself.
	[ "$plan" = later ] || ktap_set_plan "$plan"
}

# The command line of the next stage's kernel. The file cmdline has the words
# that each kernel of each scenario gets.
next_words() {
	echo "$(sed "/^#/d" "$kho_lib/cmdline") kho_test=$kho_test kho_stage=$((kho_stage + 1))" \
		"kho_n=$KTAP_TESTNO kho_fail=$KTAP_CNT_FAIL kho_skip=$KTAP_CNT_SKIP"
}

# Packs the root file system as it is now, for the next kernel. Reads it through
# a bind mount, which leaves out what is mounted over it. The archive has to be
# small, because kexec computes its checksum twice, the second time at 5 to
# 15 MB/s in an emulated guest: kernels are left out unless a stage after the
# next one needs them. It is not compressed, because an emulated CPU would gain
# no time by that.
pack_initrd() {
	local without=nothing

	[ "$((kho_stage + 1))" -lt "$stages" ] || without=./boot
	mkdir -p /tmp/root
	mount -o bind / /tmp/root
	(cd /tmp/root && find . -path "$without/*" -o -print |
		cpio -o -H newc 2>/dev/null) >/tmp/initrd
	umount /tmp/root
}

# load_kernel VERB KERNEL [WORD...]: load /boot/KERNEL for the next stage.
load_kernel() {
	local verb="$1" kernel="$2"
	shift 2

	[ -f /tmp/initrd ] || pack_initrd
	kexec_load "$verb" "/boot/$kernel" /tmp/initrd "$(next_words) $*"
}

# The last kernel that the scenario names. A scenario hands over to it so that
# scenarios which build on it can name other kernels.
last_kernel() {
	echo "${kernels##* }"
}

# load_next KERNEL [WORD...]: load that kernel for the next stage. No results may come before
# it is started, since the loaded command line has their number.
load_next() {
	local why

	rm -f /tmp/initrd
	why=$(load_kernel load "$@" 2>&1) || bail_out "cannot load kernel $1: $why"
}

# handover KERNEL [WORD...]: continue with the next stage under that kernel.
handover() {
	load_next "$@"
	leave
}

# The kernel must have nothing in scratch. If it does, the client logs that, and
# judge.awk sees it.
look_at_scratch() {
	cat /sys/kernel/debug/test_kho_scratch >/dev/null 2>&1
}

leave() {
	look_at_scratch
	marker "leave"
	kexec_load exec
	bail_out "kexec did not happen"
}

# crash_into KERNEL: continue with the next stage in a crash kernel.
crash_into() {
	load_kernel crash "$1" || bail_out "cannot load a crash kernel"
	marker "leave"
	exit	# init exits, so the kernel panics
}

finish() {
	look_at_scratch
	ktap_print_totals
	marker "end of $kho_test"
	poweroff -f
}

bail_out() {
	echo "Bail out! $*"
	poweroff -f
}

# remember NAME VALUE: stores a value for this stage and later ones.
remember() {
	mkdir -p "$STATE"
	echo "$2" >"$STATE/$1"
}

# recall NAME: prints what remember() stored.
recall() {
	cat "$STATE/$1"
}
