# SPDX-License-Identifier: GPL-2.0-only
#
# lib.sh - the words that scenarios are written in
#
# Owns: the course of a scenario over several kernels (begin_stage, handover,
# finish), the KTAP counting across them, and the checks on what KHO and its
# test client show in debugfs. Runs in the guest's busybox shell, and is
# sourced by kho_live.sh on any machine.
#
# What a stage has to tell a later one goes into /state, which travels in the
# initramfs; only the KTAP counts are on the command line.
#
# shellcheck shell=dash disable=SC2034,SC2154

readonly KHO=/sys/kernel/debug/kho
readonly CLIENT=/sys/kernel/debug/test_kho
readonly FOLIOS=/sys/kernel/debug/test_kho_folios
STATE=/state

kho_lib=${kho_lib:-/kho}
# In a kernel tree, installed selftests and a guest alike.
for helpers in "$kho_lib" "$kho_lib/../kselftest"; do
	[ -f "$helpers/ktap_helpers.sh" ] || continue
	# shellcheck source=/dev/null
	. "$helpers/ktap_helpers.sh"
	break
done

# AT_PAGESZ: what no file in /proc says in words.
page_size() {
	od -A n -t u8 /proc/self/auxv | awk '$1 == 6 { print $2 }'
}
PAGE_SIZE=$(page_size)
PAGE_KIB=$((PAGE_SIZE / 1024))

# The largest order of the page allocator, and its size in MiB: what scratch is
# made of. A line has "Node 0, zone NAME" and then a number for each order.
MAX_ORDER=$(awk 'NR == 1 { print NF - 5 }' /proc/buddyinfo)
BLOCK_MIB=$(((PAGE_SIZE << MAX_ORDER) >> 20))

### Scenario and stages ####################################################

# judge.awk knows these two lines, and counts KTAP only from "stage" to
# "leave" or "end": the kernel's own KTAP, from KUnit, is before that.
marker() {
	echo "kho-test: $*"
}

begin_stage() {
	KTAP_TESTNO=${kho_n:-1}
	KTAP_CNT_FAIL=${kho_fail:-0}
	KTAP_CNT_SKIP=${kho_skip:-0}
	KTAP_CNT_PASS=$((KTAP_TESTNO - 1 - KTAP_CNT_FAIL - KTAP_CNT_SKIP))

	# Each time that pages of two types get into one page block, the zone keeps one
	# free for a while: much of a guest's memory when a block is of 512 MiB. As much
	# is in nobody's hands while kcompactd looks for places to move pages to.
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

# /kho/cmdline is what every kernel of a scenario gets, whatever else.
next_words() {
	echo "$(sed "/^#/d" "$kho_lib/cmdline") kho_test=$kho_test kho_stage=$((kho_stage + 1))" \
		"kho_n=$KTAP_TESTNO kho_fail=$KTAP_CNT_FAIL kho_skip=$KTAP_CNT_SKIP"
}

# The root file system as it is now, for the next kernel. Seen through a bind
# mount, because what is mounted over it is not part of it. Small, since kexec
# computes a checksum of it twice, the second time at 5 to 15 MB/s emulated:
# no kernels when none comes after the next. Not compressed, for an emulated
# CPU is no faster at that.
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

# The last kernel of the scenario, for stories that are told with several.
last_kernel() {
	echo "${kernels##* }"
}

# handover KERNEL [WORD...]: go on in the next stage under that kernel.
handover() {
	local why

	rm -f /tmp/initrd
	why=$(load_kernel load "$@" 2>&1) || bail_out "cannot load kernel $1: $why"
	leave
}

leave() {
	marker "leave"
	kexec_load exec
	bail_out "kexec did not happen"
}

finish() {
	ktap_print_totals
	marker "end of $kho_test"
	poweroff -f
}

bail_out() {
	echo "Bail out! $*"
	poweroff -f
}

### Results ################################################################

# check DESCRIPTION COMMAND [ARG...]: one result. What the command prints is
# the reason when it fails.
check() {
	local what="$1" why
	shift

	if why=$("$@" 2>&1); then
		ktap_test_pass "- $what"
	else
		ktap_test_fail "- $what"
		note "$*" "$why"
	fi
}

# Each line of each argument as a comment.
note() {
	printf '%s\n' "$@" | while IFS= read -r line; do
		echo "# $line"
	done
}

# same WHAT IS SHOULD: nothing is like nothing only when it is "none".
same() {
	[ -n "$3" ] || { echo "$1: nothing to compare '$2' with"; return 1; }
	[ "$2" = "$3" ] || { echo "$1 is '$2', should be '$3'"; return 1; }
}

# near WHAT IS SHOULD MARGIN: the two numbers differ by MARGIN at most.
near() {
	[ $(($2 - $3)) -le "$4" ] && [ $(($3 - $2)) -le "$4" ] && return
	echo "$1 is $2, should be $3, give or take $4"
	return 1
}

# Words in an order that does not depend on where they are from.
sorted() {
	echo "$1" | tr ' ' '\n' | sort | xargs
}

# remember NAME VALUE, recall NAME: for later stages.
remember() {
	mkdir -p "$STATE"
	echo "$2" >"$STATE/$1"
}

recall() {
	cat "$STATE/$1"
}

# has_said PATTERN: the kernel log of this boot has a line like that.
has_said() {
	dmesg | grep -qE "$1" || { echo "the log has no /$1/"; return 1; }
}

has_not_said() {
	! dmesg | grep -E "$1"
}

### Files of the test client ###############################################

# A number for a name, so that each file has content of its own.
seed() {
	echo "0x$(echo "$1" | md5sum | cut -c 1-15)"
}

# bytes SIZE: 300M, 64K or a plain number.
bytes() {
	case $1 in
	*M) echo $((${1%M} << 20)) ;;
	*K) echo $((${1%K} << 10)) ;;
	*) echo "$1" ;;
	esac
}

# keep NAME SIZE [ORDER]: a new kept file of SIZE bytes, in folios of ORDER
# or of all orders in turn.
keep() {
	local name="$1" size
	size=$(bytes "$2")

	remember "size.$name" "$size"
	echo "$name${3:+ $3}" >"$CLIENT/create" || return
	pattern write "$(seed "$name")" "$size" >"$CLIENT/files/$name"
}

# intact NAME...: the files hold what keep wrote.
intact() {
	local name

	for name; do
		[ -f "$CLIENT/files/$name" ] || { echo "no file $name"; return 1; }
		pattern check "$(seed "$name")" "$(recall "size.$name")" \
			<"$CLIENT/files/$name" || { echo "in $name"; return 1; }
	done
}

# forget NAME...: give their memory back.
forget() {
	local name

	for name; do
		echo "$name" >"$CLIENT/remove" || return
		! [ -e "$CLIENT/files/$name" ] || { echo "$name stays"; return 1; }
	done
}

# kept: the names of all kept files, sorted, on one line.
kept() {
	local names

	names=$(cd "$CLIENT/files" && echo *) && [ "$names" != '*' ] || names=none
	echo "$names"
}

# client_stat NAME KEY: a word KEY=VALUE of the line of a kept file.
client_stat() {
	grep "^$1 " "$CLIENT/stats" | tr ' ' '\n' | sed -n "s/^$2=//p"
}

# in_order NAME ORDER COUNT: the file is COUNT folios of ORDER, nothing else.
in_order() {
	same "orders of $1" "$(client_stat "$1" orders)" "o$2:$3"
}

origin_is() {
	same "origin of $1" "$(client_stat "$1" origin)" "$2"
}

# Each folio that came in was looked at, head and tails, and found right.
folios_sound() {
	local checked bad
	checked=$(sed -n 's/.*checked=\([0-9]*\).*/\1/p' "$CLIENT/stats")
	bad=$(sed -n 's/.*bad=\([0-9]*\).*/\1/p' "$CLIENT/stats")

	same "number of bad folios" "$bad" 0 || return
	[ "${checked:-0}" -gt 0 ] || { echo "no folio was checked"; return 1; }
}

# total_stat KEY: the sum of KEY=NUMBER over all kept files
total_stat() {
	grep -o " $1=[0-9]*" "$CLIENT/stats" | cut -d = -f 2 |
		awk '{ n += $1 } END { print n + 0 }'
}

### Folios of the client of phases #########################################

# folios COMMAND [ARGUMENT]
folios() {
	echo "${2-now}" >"$FOLIOS/$1"
}

# folio_stat NAME
folio_stat() {
	sed -n "s/^$1 //p" "$FOLIOS/stats"
}

folio_stat_is() {
	same "$1" "$(folio_stat "$1")" "$2"
}

# Nothing that the client looked at was wrong, and it looked at something.
folios_fine() {
	folio_stat_is bad 0 || return
	[ "$(folio_stat checked)" -gt 0 ] || { echo "no folio was checked"; return 1; }
}

# Each struct page that there is was initialised exactly once.
pages_once() {
	folio_stat_is pages_never 0 && folio_stat_is pages_more 0 || return
	[ "$(folio_stat pages_once)" -gt 0 ] || { echo "none was counted"; return 1; }
}

# Nearly all that is free can be allocated, each page once. The rest is for those
# who must not wait, and for what a debug kernel notes of each page.
fill() {
	local free filled

	free=$(meminfo MemFree)
	folios fill && folio_stat_is bad 0 || return
	free=$((free - $(held_back))) filled=$(($(folio_stat filled) * PAGE_KIB))
	[ $filled -ge $((free * 9 / 10)) ] && return
	echo "only $filled of $free KiB were to be had"
	return 1
}

# KiB that are free, but not to be had without reclaim: what is for atomic
# allocations, and what zones keep since pages of different types got into one block
# before begin_stage() told them not to. Of each a page block in a zone: with larger
# pages that is much.
held_back() {
	[ "$PAGE_SIZE" != 4096 ] || { echo 0; return; }
	awk -v kib=$PAGE_KIB '
		BEGIN {
			for (size[7] = 1; i < 30; i++)
				size[i + 8] = 2 * size[i + 7]
		}
		$5 == "type" && $6 == "HighAtomic" {
			for (i = 7; i <= NF; i++)
				n += $i * size[i]
		}
		$1 == "boost" { n += $2 }
		END { print n * kib }' /proc/pagetypeinfo /proc/zoneinfo
}

# warned NAME: a warning for each of those that came away with nothing
warned() {
	same "number of warnings" \
		"$(dmesg | grep -c 'KHO: nothing to restore')" "$(folio_stat "$1")"
}

### What KHO shows #########################################################

kho_enabled() {
	[ -d "$KHO/out" ] || { echo "no $KHO/out"; return 1; }
}

kho_disabled() {
	! [ -e "$KHO/out" ] || { echo "$KHO/out is there"; return 1; }
	! [ -e "$KHO/in" ] || { echo "$KHO/in is there"; return 1; }
}

no_handover() {
	! [ -e "$KHO/in" ] || { echo "$KHO/in is there"; return 1; }
}

# metadata SKIP COUNT: bytes of the fixed blob
# packed { u32 version; char previous_release[65]; u32 kexec_count; }
metadata() {
	dd if=$KHO/in/sub_fdts/kexec-metadata bs=1 skip="$1" count="$2" \
		2>/dev/null
}

previous_release() {
	metadata 4 65 | tr -d '\0'
}

kexec_count() {
	metadata 69 4 | od -A n -t u4 | xargs
}

# came_from RELEASE COUNT: a handover from that release came in, and it was
# the COUNTth kexec since cold boot. In debugfs and in the log.
came_from() {
	[ -d "$KHO/in" ] || { echo "no $KHO/in"; return 1; }
	same "previous release" "$(previous_release)" "$1" || return
	same "kexec count" "$(kexec_count)" "$2" || return
	handover_said "$1" "$2"
}

# handover_said RELEASE COUNT: a release may have a plus at its end.
handover_said() {
	has_said "KHO: handover from $(echo "$1" | sed 's/[.+]/\\&/g'), kexec count $2"
}

# What a test of memory compares with after a handover.
note_down() {
	remember release "$(uname -r)"
	remember total "$(mem_total)"
}

# A handover from where note_down was, and nothing went missing.
arrived() {
	came_from "$(recall release)" "$1" || return
	near MemTotal "$(mem_total)" "$(recall total)" 512
}

# regions in|out: the scratch regions, one a line: ADDRESS SIZE, hexadecimal
regions() {
	paste -d ' ' "$KHO/$1/scratch_phys" "$KHO/$1/scratch_len"
}

# sizes in|out: the sizes of scratch in MiB, on one line
sizes() {
	local mib='' len

	while read -r len; do
		mib="$mib $((len >> 20))"
	done <"$KHO/$1/scratch_len"
	echo "${mib# }"
}

# in_blocks MIB...: the sizes that regions have for which this is asked
in_blocks() {
	local mib sizes=''

	for mib; do
		sizes="$sizes $(((mib + BLOCK_MIB - 1) / BLOCK_MIB * BLOCK_MIB))"
	done
	echo "${sizes# }"
}

# scratch_mib in|out: all regions together
scratch_mib() {
	local total=0 mib

	for mib in $(sizes "$1"); do
		total=$((total + mib))
	done
	echo $total
}

# scratch_below MIB in|out
scratch_below() {
	local mib
	mib=$(scratch_mib "$2")

	note "scratch: $mib MiB"
	[ "$mib" -lt "$1" ] || { echo "$mib MiB of scratch, should be below $1"; return 1; }
}

# kho_stat in|out NAME
kho_stat() {
	sed -n "s/^$2 //p" "$KHO/$1/stats"
}

### Memory #################################################################

# meminfo FIELD: in KiB
meminfo() {
	sed -n "s/^$1: *\([0-9]*\) kB/\1/p" /proc/meminfo
}

# MemTotal and the device tree, in KiB: firmware may make one that is a MiB larger
# than those that kexec makes.
mem_total() {
	local fdt=/sys/firmware/fdt bytes=0

	[ ! -f $fdt ] || bytes=$(stat -c %s $fdt)
	echo $(($(meminfo MemTotal) + bytes / 1024))
}

# Free memory once the kernel has settled: RCU frees late.
mem_free() {
	local last now=0 try

	for try in 1 2 3 4 5; do
		last=$now
		now=$(node_free all)
		[ $((now - last)) -lt 64 ] && [ $((last - now)) -lt 64 ] && break
		sleep 0.1
	done
	: "$try"
	echo "$now"
}

# node_meminfo NODE FIELD: in KiB
node_meminfo() {
	sed -n "s/^Node $1 $2: *\([0-9]*\) kB/\1/p" \
		"/sys/devices/system/node/node$1/meminfo"
}

# node_free NODE|all: in KiB, with what is free on the lists of single CPUs: a tenth of
# a node may lie there, and goes back to the others at any time.
node_free() {
	awk -v node="$1" -v kib=$PAGE_KIB '
		/^Node/ { here = (node == "all" || $2 == node ",") }
		here && ($1 == "count:" || $1 " " $2 == "pages free") { n += $NF }
		END { print n * kib }' /proc/zoneinfo
}

# came_back BEFORE BYTES: since MemFree was BEFORE KiB, BYTES were freed.
came_back() {
	local freed=$(($(mem_free) - $1)) kib=$(($2 / 1024))

	note "$freed of $kib KiB are free again"
	[ $freed -ge $((kib - kib / 50 - 1024)) ]
}

# usable PERCENT: that much of the available memory can be had.
usable() {
	local kib=$(($(meminfo MemAvailable) * $1 / 100)) status=0

	mkdir -p /tmp/fill
	mount -t tmpfs -o size=100% tmpfs /tmp/fill
	fallocate -l $((kib * 1024)) /tmp/fill/it || status=1
	umount /tmp/fill
	return $status
}
