# SPDX-License-Identifier: GPL-2.0-only
#
# lib/kho.sh - what KHO shows of handovers
#
# Owns what debugfs and the kernel log say about whether KHO is on, which kernel
# the incoming handover is from, and what is preserved.
#
# shellcheck shell=dash

readonly KHO=/sys/kernel/debug/kho

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

# kho_stat in|out NAME
kho_stat() {
	sed -n "s/^$2 //p" "$KHO/$1/stats"
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

# came_from RELEASE COUNT: the incoming handover is from the kernel of that
# release, and the COUNTth kexec since cold boot. Debugfs and the log agree.
came_from() {
	[ -d "$KHO/in" ] || { echo "no $KHO/in"; return 1; }
	metadata_says "$1" "$2" && handover_said "$1" "$2"
}

# metadata_says RELEASE COUNT: the same, from the blob that other kernels have as well
metadata_says() {
	same "previous release" "$(previous_release)" "$1" &&
		same "kexec count" "$(kexec_count)" "$2"
}

# handover_said RELEASE COUNT: as came_from(), from the log alone. A release may
# end with a plus.
handover_said() {
	has_said "KHO: handover from $(echo "$1" | sed 's/[.+]/\\&/g'), kexec count $2"
}

# came_in COUNT: there is an incoming handover, and it is the COUNTth kexec.
came_in() {
	has_said "KHO: handover from .*, kexec count $1\$"
}

# Remembers what arrived() compares with in a later stage.
note_down() {
	remember release "$(uname -r)"
	remember total "$(mem_total)"
}

# arrived COUNT: the incoming handover is from the kernel that called
# note_down(), and this kernel has as much memory as that one had.
arrived() {
	came_from "$(recall release)" "$1" || return
	near MemTotal "$(mem_total)" "$(recall total)" 512
}

# This kernel preserves as much as the previous kernel did.
same_map() {
	same "pages preserved" "$(kho_stat out preserved_bytes)" \
		"$(kho_stat in preserved_bytes)"
}

# So little is still preserved that it can only be what the kernel and the test
# clients preserve for themselves.
map_is_small() {
	local bytes
	bytes=$(kho_stat out preserved_bytes)

	[ "$bytes" -lt $((244 * PAGE_SIZE)) ] && return
	echo "$bytes bytes are still preserved"
	return 1
}
