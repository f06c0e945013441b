#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host/checks/lint.sh - check our files and patches without running them
#
#   host/checks/lint.sh           runs checkpatch, kernel-doc, the scripts of coccicheck,
#                                 codespell and shellcheck
#   host/checks/lint.sh quick     the same without coccicheck, which takes as long as all else,
#                                 and without shellcheck of the scenarios, each of which
#                                 it reads with the whole of their library
#   host/checks/lint.sh sparse    compiles our objects with sparse and with W=1, and
#                                 the patched ones with sparse; looks for files of ours
#                                 that call each other in a circle
#   host/checks/lint.sh sparse quick    the same for the objects of "lint" only
#
# Owns the kernels "lint" and "lint-flat" in build/kernel: copies of "main" and "flat", in
# which only the objects that are checked are compiled again. Needs build/linux. Fails
# when any of the checkers prints a finding.

set -euo pipefail
# shellcheck source=host/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=host/tree/overlay.sh
. "$root/host/tree/overlay.sh"
cd "$root"

failed=''

# checked TITLE COMMAND...: runs COMMAND, and prints TITLE and the output if COMMAND
# printed anything or failed
checked() {
	local title=$1 out
	shift
	out=$("$@" 2>&1) && [[ -z $out ]] && return
	say "--- $title"
	say "${out//"$root/"/}"
	failed=yes
}

# checkpatch ARGUMENT...: runs checkpatch.
#
# The patches have no Signed-off-by: it is a statement of the person who submits
# the series, and the cover letter says that this person adds it.
checkpatch() {
	(cd "$tree" && scripts/checkpatch.pl --strict --terse --no-summary --ignore MISSING_SIGN_OFF "$@")
}

# Removes the list of the names in include/ that checkpatch makes and leaves in the root
# of a git work tree. To make it takes seconds, so one run of checkpatch uses that
# of another.
remove_cache() {
	rm -f "$tree"/.checkpatch-camelcase.* "$root"/.checkpatch-camelcase.*
}

# mail_style MAIL: prints the findings of checkpatch, without those that right_so accepts
mail_style() {
	local file line what
	# The exit status is 1 after findings, and higher if checkpatch could not run.
	{ checkpatch "$1" || (($? == 1)); } | while IFS=: read -r file line what; do
		right_so "$what" "$(sed -n "$((line - 1)),${line}p" "$file")" ||
			echo "${file##*/}:$line:$what"
	done
}

# right_so FINDING LINES: is the line right although checkpatch has a finding about it?
# LINES are this line and the one before it.
right_so() {
	local line=${2##*$'\n'}
	case $1 in
	*'does MAINTAINERS need updating?')
		# The last mail adds the entry to MAINTAINERS, whose patterns match all files.
		true
		;;
	*'do not set execute permissions for source files')
		# The first program of a guest is a script in the initramfs; the other one is a
		# command.
		[[ $2 == *tools/testing/selftests/kho/init* || $2 == *tools/kho/kho* ]]
		;;
	*'match open parenthesis' | *"should not end with a '('")
		# The arguments of TRACE_EVENT() are laid out like blocks, as in all of
		# include/trace/events.
		[[ $line == $'+\t'TP_@(PROTO'('*|STRUCT__entry'('|fast_assign'(') ||
			$2 == +DECLARE_EVENT_CLASS'('* ]]
		;;
	*'DT compatible string'*)
		# Handlers of live update have such a member, and are not in a device tree.
		[[ $line == *'.compatible = "'* ]]
		;;
	*'Prefer __printf(a, b) over __attribute__'*)
		# A program that is also built without the kernel's headers defines it itself.
		[[ $line == '+#define __printf(a, b)'* ]]
		;;
	*'Avoid CamelCase: <Preserved>')
		# The macro makes names of functions of it, such as SetHPagePreserved().
		[[ $line == *'HPAGEFLAG('* ]]
		;;
	*'Avoid CamelCase: <Unlock>')
		# Linux itself has this label.
		[[ $line == *'goto Unlock;' ]]
		;;
	*) false ;;
	esac
}

# kernel_doc FILE...
kernel_doc() {
	(cd "$tree" && scripts/kernel-doc -none -Wall -Werror "$@")
}

# Prints those of the kernel's semantic patches that are about anything our code does.
cocci_scripts() {
	(
		cd "$tree/scripts/coccinelle"
		printf '%s\n' free/{ifnullfree,iounmap,kfree,kfreeaddr}.cocci iterators/{itnull,use_after_iter}.cocci \
			locks/*.cocci misc/*.cocci null/*.cocci tests/*.cocci api/alloc/*.cocci \
			api/{atomic_as_refcounter,err_cast,kfree_mismatch,kvmalloc,memdup,resource_size,string_choices,vma_pages}.cocci
	)
}

# coccicheck FILE...: prints the findings of these semantic patches. Only lines that begin
# with a file and a line number are findings. A semantic patch that does not run finds
# nothing, so that is a finding as well. With all files at once, spatch has no room on its
# stack for deref_null.cocci.
coccicheck() {
	local script out
	for script in $(cocci_scripts); do
		out=$(printf '%s\0' "$@" | xargs -0 -n 50 spatch --very-quiet --no-show-diff --no-includes \
			-D report --cocci-file "$tree/scripts/coccinelle/$script" 2>&1) ||
			echo "$script does not run: $(tail -1 <<<"$out")"
		grep -E '^[^ ]+:[0-9]+' <<<"$out" || true
	done
}

# The variables that a test may set at its head, which host/vm/test.sh reads; those
# that also exist in a guest; and those that host/format/{,luo_}write.py write for a guest.
readonly head=(about kernels stages plan expect when mem cpus numa dimm limit words qemu machines pages family firmware
	host_gib programs threads)
readonly guest=("${head[@]}" kho_test kho_stage kho_tests KTAP_CNT_PASS PAGE_SIZE)
readonly facts=(fact_{release,kexecs,scratch,files,areas,region,unclaimed,blobs,refused}
	fact_{number,sessions,broken,again,tests,memfds,failing,flbs,says})

# as_program SHELL FILE... -- VARIABLE...: runs shellcheck on files that are parts of a
# program whose other parts set and use these variables. For a part alone shellcheck
# would say that the variables are unused.
as_program() {
	local shell=$1 file files=()
	shift
	while [[ $1 != -- ]]; do
		files+=("$1")
		shift
	done
	shift
	{
		echo "# shellcheck shell=$shell"
		printf "%s=''\n" "$@"
		for file in "${files[@]}"; do
			printf '# shellcheck source=%s\n. %s\n' "$file" "$file"
		done
		printf ': "$%s"\n' "$@"
	} | shellcheck -x -a -f gcc - || true
}

# Prints the findings of shellcheck. sort -u is for files that are part of many programs,
# where each finding comes once for each program. With "quick" the scenarios are left out.
shell_scripts() {
	local ours=tools/testing/selftests/kho file

	{
		for file in host/*.sh host/*/*.sh "$ours"/*.sh tools/testing/selftests/liveupdate/*.sh; do
			[[ $file == @(host/lib.sh|host/tree/@(overlay|source).sh|host/@(tests|format)/*|$ours/@(lib|bench).sh) ]] ||
				shellcheck -x -f gcc "$file" || true
		done
		as_program bash host/{lib,tree/overlay,tree/source}.sh -- tree asked_pages patches series
		for file in host/tests/*.sh; do
			as_program bash host/lib.sh "$file" -- "${head[@]}" name vms ours
		done
		as_program dash "$ours/init" -- "${guest[@]}"
		for file in "$ours"/{bench,tests/*}.sh; do
			[[ ${1-} != quick || $file != */tests/* ]] || continue
			as_program dash "$ours/lib.sh" "$file" -- "${guest[@]}"
		done
		for file in host/format/{in,left,out,refused,luo-in,luo-out,luo-refused}.sh; do
			as_program dash "$ours/lib.sh" "$file" -- "${guest[@]}" "${facts[@]}"
		done
	} 2>&1 | sort -u
}

# Prints the lines in code for all architectures that name one of them.
common_code() {
	local file files machine='((CONFIG_|__)(ARM64|X86|aarch64|x86)|\b(ARM64|X86(_64|_32)?)\b)'

	mapfile -t files < <(whole_files | grep -E '^(include|kernel|mm|fs|lib|drivers)/')
	grep -nE "$machine" /dev/null "${files[@]}" || true
	for file in $(series_patches); do
		[[ $file == @(x86|arm64)*.patch ]] || grep -nE "^\+.*$machine" "patches/$file" || true
	done
}

# The word by which the formats of live update call a serialised struct.
readonly names=ser

# spelling FILE...: prints the findings of codespell. Of a patch only its commit message
# and the lines that it adds are checked.
spelling() {
	local file files=() dir=$build/lint-added
	rm -rf "$dir"
	for file; do
		if [[ $file == *.patch ]]; then
			mkdir -p "$dir/${file%/*}"
			sed 's/^\(@@ .* @@\).*/\1/; /^[- ]/s/.*//' "$file" >"$dir/$file"
			file=$dir/$file
		fi
		files+=("$file")
	done
	codespell -L "$names" -x <(spelled_so) "${files[@]}" | sed "s|^$dir/||"
	rm -rf "$dir"
}

# Prints the lines that are right although codespell does not accept them.
spelled_so() {
	# The last word of "to and fro" is spelled right.
	grep -h '\<to and fro\>' "${all[@]}"
}

lint() {
	local mail code sources all
	host/tree/series.sh mail "$build/lint-mail" >/dev/null
	remove_cache
	for mail in "$build"/lint-mail{,-tests}/*.patch; do
		[[ ! -f $mail ]] || checked "checkpatch ${mail##*/}" mail_style "$mail"
	done
	remove_cache
	rm -rf "$build"/lint-mail{,-tests}
	mapfile -t code < <(whole_files | grep '\.[ch]$')
	if ((${#code[@]})); then
		checked "kernel-doc" kernel_doc "${code[@]}"
		# These semantic patches are about the kernel.
		mapfile -t sources < <(printf '%s\n' "${code[@]}" | grep '\.c$' | grep -v '^tools/')
		[[ ${1-} == quick ]] || checked "coccicheck" coccicheck "${sources[@]}"
	fi

	checked "names of architectures in code for all" common_code
	checked "shellcheck" shell_scripts "$@"
	mapfile -t all < <(git ls-files -co --exclude-standard | grep -vE '\.svg$|^COPYING$|^LICENSES/' )
	checked "codespell" spelling "${all[@]}"
	checked "mutations" host/checks/mutate.sh --check
	say "checked: $(series_patches | wc -l) patches, $(whole_files | wc -l) whole files"
}

# The kernels whose objects are checked. If several have an object of a file, the first
# of them counts. Objects of arm64 are only checked with ARCH=arm64, since that kernel
# takes a while to build.
case $asked_arch,${2-} in
*,quick) readonly kernels='lint' ;;
arm64,* | aarch64,*) readonly kernels='lint lint-flat arm64' ;;
*) readonly kernels='lint lint-flat' ;;
esac

# built KERNEL: prints the kernel that this one is a copy of, or itself
built() {
	case $1 in
	lint) echo main ;;
	lint-*) echo "${1#lint-}" ;;
	*) echo "$1" ;;
	esac
}

# objects KERNEL: reads sources from standard input, and prints the objects of those that
# are checked in this kernel
objects() {
	local file kernel
	while IFS= read -r file; do
		[[ $file == *.c && $file != tools/* ]] || continue
		for kernel in $kernels ''; do
			[[ $file != arch/*/boot/* ]] || kernel=''
			[[ $kernel && ! -f $build/kernel/$kernel/${file%.c}.o ]] || break
		done
		if [[ $kernel == "$1" ]]; then
			printf '%s\n' "${file%.c}.o"
		elif [[ ! $kernel && $1 == "${kernels%% *}" && $kernels == *' '* ]]; then
			warn "sparse does not check $file: it is not part of $kernels, or is compiled in another way"
		fi
	done
}

# circles OBJECT...: prints the files in kernel/, mm/ and arch/ that call each other in a
# circle. Only functions and variables that the linker knows count. A file with a weak
# function calls the file that replaces it. OBJECT begins with the name of the kernel.
circles() {
	local object
	printf '%s\n' "$@" | grep -E '^[^/]*/(kernel|mm|arch)/' | grep -v '_test\.o$' | while IFS= read -r object; do
		nm -g "$build/kernel/$object" | awk -v object="${object#*/}" '{ print object, $(NF - 1), $NF }'
	done | awk '
		$2 ~ /^[UwvW]$/ { users[$3] = users[$3] " " $1; next }
		{ owner[$3] = $1 }
		END {
			for (symbol in owner) {
				nr = split(users[symbol], user, " ")
				while (nr)
					print user[nr--], owner[symbol]
			}
		}' | sort -u | { tsort >/dev/null; } 2>&1
}

sparse() {
	local ours patched kernel all=()
	for kernel in $kernels; do
		host/build/kernel.sh "$(built "$kernel")"
		[[ $kernel == lint* ]] || continue
		# This makes a new copy of that kernel, and compiles the objects that only the
		# copy has.
		rm -rf "$build/kernel/$kernel"
		host/build/kernel.sh "$kernel" kernel/kexec_handover/
	done
	for kernel in $kernels; do
		mapfile -t ours < <(whole_files | objects "$kernel")
		mapfile -t patched < <(sgit "$series" ls-files | objects "$kernel")
		((${#ours[@]} + ${#patched[@]})) || continue
		((${#patched[@]} == 0)) || host/build/kernel.sh "$kernel" C=2 "${patched[@]}" || failed=yes
		((${#ours[@]} == 0)) || host/build/kernel.sh "$kernel" C=2 W=1 "${ours[@]}" || failed=yes
		# W=1 changes the command lines, so without this the next build of the kernel
		# would compile these objects again.
		[[ $kernel == lint* ]] || host/build/kernel.sh "$kernel"
		[[ $kernel == arm64 ]] || all+=("${ours[@]/#/$kernel/}")
		say "checked: $kernel, ${#ours[@]} objects of ours, ${#patched[@]} patched ones"
	done
	checked "files that call each other in a circle" circles "${all[@]}"
}

case ${1:-} in
'' | quick) lint "$@" ;;
sparse) sparse ;;
*) die "usage: host/checks/lint.sh [quick|sparse [quick]]" ;;
esac
[[ -z $failed ]]
