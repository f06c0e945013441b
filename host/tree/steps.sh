#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host/tree/steps.sh - apply the mails one by one; build and boot kernels at each step
#
#   host/tree/steps.sh          builds four kernels at each step, and does handovers
#                               from the first patch for x86 on
#   host/tree/steps.sh short    compiles just the objects that the series changes or
#                               adds, at each step, and looks for functions that are
#                               used before the mail that defines them
#   host/tree/steps.sh all      builds one kernel after the last mail, and does
#                               handovers
#
#   PLAIN=PATH   the tree or tarball to apply the series to; without it, the
#                source that build/linux was made from
#   FROM=N       applies the mails before number N all at once and builds nothing at
#                these steps, for those who changed later patches only; "last" is
#                the number of the last mail
#
# Owns build/steps: a tree of Linux without KHO, to which git am applies the mails of
# build/mail one by one, and the kernels that are built from it. A last step applies
# all mails of build/mail-tests, the patches for tests only. With "all", they are
# only applied, after the kernel was built without them.
#
# The report is TAP; build/steps/log/N.log has the output of the commands of line N.
#
# The kernels:
#   on     is main of host/build/config/kernels, without options that the step does
#          not have yet
#   off    is the same with KHO compiled out. After the last mail its functions must
#          have the same code as before the first one, except those in
#          changed_functions.
#   tiny   is allnoconfig.
#   i386   has 32 bits, kexec and CMA.
#   small  is allnoconfig with all of KHO that there is so far; only objects of it are
#          compiled. It has KHO before an architecture supports it, so that each mail is
#          compiled at its own step.

set -euo pipefail
# shellcheck source=host/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=host/tree/overlay.sh
. "$root/host/tree/overlay.sh"
cd "$root"

readonly steps=$build/steps
readonly plain=$steps/linux
readonly ours=$root/tools/testing/selftests/kho

export KBUILD_BUILD_TIMESTAMP='Sun Nov 17 00:00:00 UTC 2024'

# ------------------------------------------------------------------------- results

n=0 failed=''

# result WHAT COMMAND...: runs COMMAND and prints one line of TAP, with the reason if
# it failed. COMMAND runs in a subshell with set -e of its own, because a function that
# is called in a condition goes on after an error.
result() {
	local what=$1 log status=0 start=$SECONDS
	shift
	n=$((n + 1))
	log=$steps/log/$n.log
	set +e
	(set -e; "$@") >"$log" 2>&1 </dev/null
	status=$?
	set -e
	if ((status == 0)); then
		say "ok $n - $what # $(duration $((SECONDS - start)))"
	else
		say "not ok $n - $what"
		{ grep -m 5 -E 'error:|warning:|Error|undefined ref' "$log" || true; tail -5 "$log"; } |
			sed 's/^/# /'
		failed=yes
	fi
}

# ---------------------------------------------------------------------------- tree

# Makes build/steps/linux the tree of the source, without KHO. Only the files that the
# series touches are added to git: git am needs no more, and adding all of the 80,000
# files would take a minute.
plain_tree() {
	local source
	source=$(head -1 "$tree/.overlay/source")
	source=${PLAIN:-${source%% | *}}
	# Files keep the dates that they have in the source, so make would take objects of
	# another source for up to date.
	rm -rf "$plain" "$steps"/{on,off,tiny,i386,small}
	mkdir -p "$plain"
	if [[ -d $source ]]; then
		(cd "$source" && find . -mindepth 1 -maxdepth 1 ! -name .git -exec cp -a -t "$plain" {} +)
	else
		tar -xf "$source" -C "$plain" --strip-components=1
	fi
	git init -q --template= "$plain"
	touched "$build"/mail/*.patch "${tests_only[@]}" | in_tree "$plain" | (cd "$plain" && xargs git add -f --)
	sgit "$plain" commit -q -m "Linux $(linux_version "$plain")"
}

# touched MAIL...: the files that these mails change, also those that an earlier mail adds
touched() {
	sed -n 's|^--- a/||p' "$@" | sort -u
}

# in_tree TREE: prints those of the names on standard input that the tree has
in_tree() {
	local file
	while IFS= read -r file; do
		[[ ! -e $1/$file ]] || printf '%s\n' "$file"
	done
}

# ------------------------------------------------------------------------- kernels

# kernel NAME [ARGUMENT...]: runs the kernel's make with its output in build/steps/NAME
kernel() {
	local name=$1 arch=x86_64
	shift
	[[ $name != i386 ]] || arch=i386
	[[ $name != small ]] || set -- KBUILD_KCONFIG="$steps/Kconfig" "$@"
	make -C "$plain" O="$steps/$name" ARCH=$arch -j"$jobs" "$@"
}

# Writes build/steps/Kconfig, the Kconfig of the kernel "small".
write_kconfig() {
	cat "$plain/Kconfig" - >"$steps/Kconfig" <<-'END'

		config ARCH_SUPPORTS_KEXEC_HANDOVER
			def_bool y
	END
}

# Prints the fragments of the kernel main.
main_config() {
	local name
	for name in $(fragments_of main); do
		cat "host/build/config/$name.config"
	done
}

options() {
	printf 'CONFIG_%s=y\n' "$@"
}

# wanted NAME: prints the options that a kernel gets on top of tinyconfig or allnoconfig
wanted() {
	case $1 in
	on) main_config ;;
	off) main_config; echo '# CONFIG_KEXEC_HANDOVER is not set' ;;
	tiny) ;;
	i386) options SMP MODULES PRINTK KEXEC CRASH_DUMP CMA ;;
	small)
		options 64BIT SMP PRINTK DEBUG_FS MMU KEXEC_FILE KUNIT RUNTIME_TESTING_MENU \
			SHMEM MEMTEST DEBUG_KERNEL FAULT_INJECTION FAILSLAB FAIL_PAGE_ALLOC \
			KEXEC_HANDOVER KEXEC_HANDOVER_DEBUG KEXEC_HANDOVER_DEBUGFS \
			KEXEC_HANDOVER_KUNIT_TEST TEST_KEXEC_HANDOVER TEST_KEXEC_HANDOVER_BOOT \
			TEST_KEXEC_HANDOVER_BENCH TEST_KEXEC_HANDOVER_ERRORS KEXEC_HANDOVER_CHECKSUM \
			KEXEC DMA_CMA TRANSPARENT_HUGEPAGE TMPFS HUGETLBFS LIVEUPDATE \
			LIVEUPDATE_MEMFD LIVEUPDATE_HUGETLB LIVEUPDATE_TEST LIVEUPDATE_KUNIT_TEST \
			X86_MCE MEMORY_FAILURE
		;;
	esac
}

# Prints what the mails have changed in Kconfig files so far.
kconfigs() {
	sgit "$plain" diff "$(first_commit)" HEAD -- '*Kconfig*'
}

first_commit() {
	sgit "$plain" rev-list --max-parents=0 HEAD
}

# configure NAME: Kconfig drops the options that a step does not have yet. Most mails leave
# Kconfig alone, and the configuration is that of the step before.
configure() {
	local name=$1 sum
	mkdir -p "$steps/$name"
	wanted "$name" >"$steps/$name/.wanted"
	sum=$({ cat "$steps/$name/.wanted"; kconfigs; } | sha256sum)
	[[ $(cat "$steps/$name/.configured" 2>/dev/null) != "$sum" ]] || return 0
	case $name in
	on | off) kernel "$name" -s tinyconfig ;;
	*) kernel "$name" -s allnoconfig ;;
	esac
	"$plain/scripts/kconfig/merge_config.sh" -m -O "$steps/$name" "$steps/$name/.config" \
		"$steps/$name/.wanted" >/dev/null
	kernel "$name" -s olddefconfig
	echo "$sum" >"$steps/$name/.configured"
}

# Prints the objects of all sources that the mails have changed so far. kexec_unpack.c
# includes its test. lib/test_kexec_handover_boot/ is for tests only.
objects() {
	sgit "$plain" diff --name-only "$(first_commit)" HEAD | as_objects
}

# Prints the objects of those sources, on standard input, that the kernel "small" compiles.
as_objects() {
	grep -E '^(kernel|mm|fs|lib|arch/x86/kernel)/.*\.c$' | grep -v kexec_unpack_test | sed 's/c$/o/'
}

# builds NAME: does the kernel build without a warning?
builds() {
	local said what=(bzImage)
	configure "$1"
	# If this step does not build, the image of the step before must not be booted.
	rm -f "$steps/$1/arch/x86/boot/bzImage"
	if [[ $1 == small ]]; then
		said=$(objects)
		[[ -n $said ]]
		mapfile -t what <<<"$said"
		# The Makefiles name no object whose source a later mail brings.
		[[ -z $rooms_seen ]] || what+=(kernel/kexec_handover/)
	fi
	said=$(kernel "$1" -s "${what[@]}" 2>&1) || { echo "$said"; return 1; }
	echo "$said"
	! grep -E '(warning|error): |WARNING: ' <<<"$said"
}

# defined OBJECT...: prints the symbols that these objects of the kernel "small" define
defined() {
	(cd "$steps/small" && nm -g --defined-only "$@") | awk 'NF == 3 { print $3 }' | sort -u
}

# undefined OBJECT...: prints the symbols that these objects use and do not define
undefined() {
	(cd "$steps/small" && nm -g --undefined-only "$@") | awk 'NF == 2 { print $2 }' | sort -u |
		comm -23 - <(defined "$@")
}

# note_used NAME: notes what the objects use that the mails have changed so far
note_used() {
	local all
	mapfile -t all < <(objects)
	undefined "${all[@]}" >"$steps/symbols/$1.used"
}

# Does the code of no mail use what only the new files of a later one define? A kernel that
# has it would not link. Compares the symbols that note_used() noted with those at the end.
# As long as no architecture can turn KHO on, no kernel has it.
uses_nothing_later() {
	local all at later bad=''
	mapfile -t all < <(sgit "$plain" diff --name-only --diff-filter=A "$(first_commit)" HEAD | as_objects)
	defined "${all[@]}" >"$steps/symbols/end"
	[[ -s $steps/symbols/end ]]
	for at in "$steps"/symbols/*.used; do
		later=$(comm -12 "$at" "$steps/symbols/end")
		[[ -z $later ]] || { echo "error: $(basename "$at" .used) uses what a later mail defines: ${later//$'\n'/ }"; bad=yes; }
	done
	[[ -z $bad ]]
}

# has_kho NAME: is KHO on in the configuration? Otherwise a kernel from whose
# configuration Kconfig dropped KHO would pass.
has_kho() {
	grep -qx CONFIG_KEXEC_HANDOVER=y "$steps/$1/.config"
}

# Boots the kernel "on" of this step, which hands over to itself, twice.
hands_over() {
	host/vm/initramfs.sh --base x86
	local log=$build/vm/steps.log verdict
	host/vm/initramfs.sh "$steps/initrd" x86 --add "$steps/on/arch/x86/boot/bzImage" boot/main
	host/vm/vm.sh --name steps --kernel "$steps/on/arch/x86/boot/bzImage" --initrd "$steps/initrd" \
		--mem 512M --limit 90 \
		--append "$(sed '/^#/d' "$ours/cmdline") kho_test=plain kho_stage=1" || true
	cp "$log" "$steps/log/$n.serial"
	verdict=$(awk -v stages=3 -f "$ours/judge.awk" "$log")
	echo "$verdict"
	[[ $verdict == '5 0 0'* ]]
}

# --------------------------------------------------------------------- object code

# The functions whose code the series may change in a kernel without KHO, and why.
readonly changed_functions=(
	# __get_vm_area_node() and nr_vmalloc_pages are no longer static: the same
	# instructions, with another relocation.
	get_vm_area get_vm_area_caller __get_vm_area_caller __vmalloc_node_range_noprof vfree vmalloc_nr_pages
	# deferred_init_pages() does not count any more, its caller does.
	deferred_init_maxorder
	# Part of it is init_core_pages() now, which another function calls as well.
	__free_pages_core
	# It does not take more pages for free than there are.
	files_maxfiles_init
	# The compiler puts a block elsewhere: not one instruction more.
	shmem_get_folio_gfp shmem_fault
	# reserved_mem_add() returns the entry that it made.
	reserve_mem
	# They map ranges that adjoin in one go, also in a kernel that nothing is handed
	# over to.
	init_range_memory_mapping map_ram
	# process_mem_region() is no longer static, which changes what the compiler inlines
	# and where strings are.
	process_mem_region choose_random_location kaslr_get_random_long
)

# Prints a line for each function in the patched files: its name and its instructions,
# without the addresses of these and of their data.
code() {
	local file
	touched "$build"/mail/*.patch | grep '\.c$' | while IFS= read -r file; do
		file=$steps/off/${file%.c}.o
		[[ ! -f $file ]] || objdump -dr --no-show-raw-insn --no-addresses "$file"
	done | awk '
		/^<.*>:$/ { printf "\n%s\t", $1; next }
		/^\t/ { gsub(/[ \t]+/, " "); sub(/ \.[a-z0-9_.]+[-+]0x[0-9a-f]+$/, " section"); printf "%s;", $0 }
		END { print "" }' | sort
}

# Have the functions the same code as before the first mail?
same_code() {
	local differ
	code >"$steps/code.after"
	[[ -s $steps/code.before ]]
	differ=$(diff "$steps/code.before" "$steps/code.after" | awk '/^[<>]/ { gsub(/[<>:]/, "", $2); print $2 }' |
		sort -u | grep -vxF -f <(printf '%s\n' "${changed_functions[@]}" -)) || true
	[[ -z $differ ]] || { echo "error: the series changed the code of these functions in a kernel without KHO: ${differ//$'\n'/ }"; return 1; }
	echo "$(wc -l <"$steps/code.after") functions compared"
}

# --------------------------------------------------------------------------- steps

# enables_kho MAIL: does the mail let an architecture turn KHO on?
enables_kho() {
	grep -q '^+config ARCH_SUPPORTS_KEXEC_HANDOVER$' "$1"
}

# adds_kho MAIL: does the mail add the option of KHO? From then on the kernel "small" has
# it.
adds_kho() {
	grep -q '^+config KEXEC_HANDOVER$' "$1"
}

# is_compiled MAIL: does the mail change a file that kernels are built of?
is_compiled() {
	sed -n 's|^diff --git a/\([^ ]*\) .*|\1|p' "$1" | grep -qvE '^(Documentation|tools)/|^MAINTAINERS$'
}

# subjects MAIL...: prints their subjects on one line
subjects() {
	sed -n 's/^Subject: \[PATCH[^]]*\] //p' "$@" | paste -sd ';' | sed 's/;/; /g'
}

# step NAME MAIL...: applies the mails, and builds the kernels in ${kernels[@]} if the mails
# change a file of them
step() {
	local at=$1 mail compiled=''
	shift
	result "$at applies: $(subjects "$@")" sgit "$plain" am -q "$@"
	for mail; do
		! adds_kho "$mail" || rooms_seen=yes
		! enables_kho "$mail" || arch_seen=yes
		! is_compiled "$mail" || compiled=yes
	done
	[[ $compiled ]] && ((!just_last)) || return 0
	build_kernels "$at"
}

# build_kernels NAME: NAME says in the report which step it is.
build_kernels() {
	local at=$1 name
	for name in "${kernels[@]}"; do
		result "$at $name builds" builds "$name"
		[[ $name != small || -z $rooms_seen ]] || result "$at small has KHO" has_kho small
		((!later)) || [[ -z $arch_seen ]] || result "$at notes what it uses" note_used "$at"
		[[ $name == on && -n $arch_seen ]] || continue
		result "$at on has KHO" has_kho on
		result "$at on hands over" hands_over
	done
}

# plan MAIL...: prints how many results there will be. All patches for tests only are one
# step.
plan() {
	local mail total=$((compare * 2 + later)) arch=${arch_seen:+1} rooms=${rooms_seen:+1} name

	((!${#tests_only[@]})) || set -- "$@" "${tests_only[0]}"
	if ((just_last)); then
		echo "1..$(($# + 3))"
		return
	fi
	for mail; do
		total=$((total + 1))
		! adds_kho "$mail" || rooms=1
		! enables_kho "$mail" || arch=1
		is_compiled "$mail" || continue
		total=$((total + ${#kernels[@]}))
		for name in "${kernels[@]}"; do
			[[ $name != on ]] || total=$((total + 2 * arch))
			[[ $name != small ]] || total=$((total + rooms + later * arch))
		done
	done
	echo "1..$total"
}

main() {
	local mails tests_only at arch_seen='' rooms_seen='' compare=0 later=0 just_last=0 jobs from=${FROM:-1}
	jobs=$(nproc)
	kernels=(on off tiny i386)
	case ${1-} in
	# The test "steps" runs this among others, each with one CPU.
	short) kernels=(small) jobs=1 ;;
	all) kernels=(on) just_last=1 ;;
	'') compare=1 ;;
	*) die "usage: host/tree/steps.sh [short|all]" ;;
	esac

	host/tree/series.sh mail >/dev/null
	rm -rf "$steps"/{log,symbols}
	mkdir -p "$steps"/{log,symbols}
	mapfile -t mails < <(printf '%s\n' "$build"/mail/*.patch)
	[[ $from != last ]] || from=${#mails[@]}
	[[ $from == [1-9]*([0-9]) && $from -le ${#mails[@]} ]] ||
		die "FROM=$from: it is the number of one of the ${#mails[@]} mails"
	mapfile -t tests_only < <(find "$build/mail-tests" -name '*.patch' 2>/dev/null | sort)
	for ((at = 0; at < from - 1; at++)); do
		! adds_kho "${mails[at]}" || rooms_seen=yes
		! enables_kho "${mails[at]}" || arch_seen=yes
	done
	[[ ${1-} != short || $from == "${#mails[@]}" ]] || later=1
	plan "${mails[@]:from - 1}"
	plain_tree
	write_kconfig
	if ((compare)); then
		result "off builds without us" builds off
		code >"$steps/code.before"
	fi
	if ((from > 1)); then
		sgit "$plain" am -q "${mails[@]:0:from - 1}"
	fi
	for ((at = from - 1; at < ${#mails[@]}; at++)); do
		step "$(printf '%04d' $((at + 1)))" "${mails[at]}"
	done
	((!just_last)) || build_kernels "Linux $(linux_version "$plain"):"
	((!compare)) || result "off has the code that it had without us" same_code
	((!later)) || result "no mail uses what only a later one defines" uses_nothing_later
	((!${#tests_only[@]})) || step tests-only "${tests_only[@]}"
	[[ -z $failed ]]
}

main "$@"
