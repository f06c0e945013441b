# SPDX-License-Identifier: GPL-2.0-only
#
# The incoming handover of live update is damaged, or its format is written in unusual ways.
# Damage to a session costs that session, damage to a file costs that file, and damage to
# the handover as a whole costs all sessions and nothing else. Each damage is one line of
# the log.
#
# In odd stages live update is off, and ../../liveupdate/craft.c writes a handover by hand.
#
# shellcheck shell=dash

about="damaged sessions, and damaged handovers of all sessions"
kernels="main next"
stages=12
plan=63
limit=300
expect="(LUO|memfd-luo): "

# Sessions that cannot be retrieved.
readonly BROKEN="unpreserved unaligned beyond large count-above count-below overfull
	cycle-of-one cycle-of-two cut-off no-handler no-nul twice"

# Sessions whose only file cannot be retrieved.
readonly FILES="data-none data-unpreserved data-unaligned position size seals flags
	array-short array-huge array-unpreserved page-unpreserved page-beyond page-two
	page-odd page-within"

# Damage to the handover as a whole, for stages 3, 5 and so on.
readonly WHOLE="version small lost-list long-list cycle"

stage_1() {
	check "sessions can be written by hand" luo craft sessions
	handover next liveupdate=on
}

stage_2() {
	local name

	start_agent heir
	for name in $BROKEN; do
		check "session $name is broken, and the log says it once" broken "$name"
	done
	for name in $FILES; do
		check "the file of session $name cannot be had" no_file "$name"
	done
	check "a session without damage is right" right good 0 2
	check "pages in any order are right" right any-order 0 2
	check "pages that are not up to date are zero" right not-up-to-date 0 2
	check "empty blocks do not matter" right empty-block 0 2
	check "a page that is in a file twice can be read once at most" page_twice
	check "a session without files can be retrieved" no_files
	check "a name without a NUL is cut" right "$(printf %63s '' | tr ' ' n)" 0 2
	check "of two sessions with the same memory one has it" shared_memory
	check "of two sessions with the same list one has it" shared_list
	check "the log says that the page of FLBs is broken" has_said "LUO: the page of FLBs"
	release_all
	check "nine tenths of the memory can be used" usable 90
	check "no kexec is possible as long as a handler is missing" waits_for_handler
	echo 1 >/sys/module/liveupdate/parameters/force
	handover next
}

waits_for_handler() {
	load_kernel load next || return
	kexec_load exec 2>&1 | grep -qx 'kexec_load: kexec: error 16' &&
		has_said "LUO: kexec refused: .*, the first in session no-handler:"
}

later_stage() {
	[ $((kho_stage % 2)) -eq 1 ] || { whole_is_damaged; return; }
	check "a handover with $(damage) can be written by hand" luo craft "$(damage)"
	handover next liveupdate=on
}

whole_is_damaged() {
	start_agent heir
	check "no session of a handover with $(damage) came in" nothing_came_in heir good
	check "the log says once why" \
		same lines "$(dmesg | grep -c 'LUO: .*: no session is there to retrieve')" 1
	release_all
	if [ "$kho_stage" -ge "$stages" ]; then
		check "nine tenths of the memory can be used" usable 90
		finish
	fi
	handover next
}

# Prints the damage that an odd stage makes, and that the even stage after it looks at.
damage() {
	echo "$WHOLE" | cut -d ' ' -f $(((kho_stage - 1) / 2))
}

release_all() {
	check "what nobody can have waits, and can be released" released
}

released() {
	[ "$(kho_stat in unclaimed_folios)" -gt 0 ] || { echo "nothing waits"; return 1; }
	echo 1 >"$KHO/in/release" && nothing_waits
}

broken() {
	refused EIO ask heir retrieve x "$1" || return
	same lines "$(dmesg | grep -cE "LUO: session $1[: ]")" 1
}

# A check that failed may have left these two open.
close_all() {
	ask heir close x
	ask heir close f
} >/dev/null

no_file() {
	local said

	close_all
	ask heir retrieve x "$1" || return
	! said=$(ask heir take x 1 f) || { echo "it was had"; return 1; }
	case $said in
	E*) note "$said" ;;
	*) echo "$said"; return 1 ;;
	esac
	refused "$said" ask heir take x 1 f && all heir "finish x
		close x"
}

# right NAME FIRST COUNT: the file of this session has COUNT pages from page FIRST on, and
# no others.
right() {
	close_all
	all heir "retrieve x $1
		take x 1 f
		check f 5 $2 $3
		zero f $(($2 + $3)) $((4 - $2 - $3))
		finish x
		check f 5 $2 $3
		close x" && same size "$(figure_of heir f size)" $((4 * PAGE_SIZE)) &&
		ask heir close f
}

# The file cannot be retrieved, or one of its two pages cannot be read: the page that came
# first has the memory.
page_twice() {
	no_file page-twice && return
	if refused EIO ask heir zero f 1 1; then
		ask heir check f 5 0 1 || return
	else
		refused EIO ask heir check f 5 0 1 || return
	fi
	all heir "finish x
		close x"
}

no_files() {
	close_all
	all heir "retrieve x no-files
		finish x
		close x"
}

shared_memory() {
	right shared-1 0 2 && no_file shared-2
}

shared_list() {
	right list-1 0 2 && refused EIO ask heir retrieve x list-2
}
