#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host/vm/test.sh - run tests, in virtual machines or on the host, and report the results
#
#   host/vm/test.sh [NAME...]    runs these tests, or those that TESTS in the
#                                environment names, or all
#   host/vm/test.sh NAME:VARIABLE=VALUE...
#                                runs the test with these settings of its scenario
#   host/vm/test.sh --list       lists the tests
#
# A test in a virtual machine is called a scenario, and is a file in
# tools/testing/selftests/kho/tests/; judge.awk there reads its log. A test in
# host/tests/ is a program of the host, whose function host_test prints TAP. Both
# begin with the same kind of head: variables that say what the test is about and
# which kernels and machine it needs.
#
# ARCH=arm64 in the environment runs the scenarios on arm64, and PAGES=16k or 64k with
# pages of that size. The kernel that a scenario calls "next" is "arm64-next" then, and
# so on. A scenario is reported as skipped when there is no such kernel, or when its
# head says that it is about other machines.
#
# A test that has when=asked at its head runs only when it is named. A test that has
# host_gib=N is skipped where the host has less than N GiB of free memory. That much is
# enough for its guest, which has more memory than it uses. programs="vm" names programs
# that are added to the guest of a test; see initramfs.sh. threads=one is for a test that
# runs a guest of KVM on several CPUs; see --one-thread in vm.sh.
#
# Owns the run: it builds the kernels that are needed, runs as many tests at a time as
# there are CPUs and memory for, prints one line for each test and what took how long.
# The last line is "N passed, N failed", which counts single results. The exit status
# is 0 only when nothing failed and something passed.
#
# For each test build/vm has NAME.log, which is the serial console with the time or
# the output of the program, and NAME.result, which is the verdict.

set -euo pipefail
# shellcheck source=host/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

readonly ours=$root/tools/testing/selftests/kho
readonly vms=$build/vm

# ------------------------------------------------------------------- scenarios

# Prints the names of all tests.
all_names() {
	(cd "$ours/tests" && printf '%s\n' *.sh; cd "$root/host/tests" && printf '%s\n' *.sh) |
		sed 's/\.sh$//'
}

# file_of NAME: prints the path of the test; fails if there is none.
file_of() {
	local dir name=${1%%:*}
	for dir in "$ours/tests" "$root/host/tests"; do
		[[ ! -f $dir/$name.sh ]] || { echo "$dir/$name.sh"; return; }
	done
	return 1
}

# read_head NAME: sets the variables that the head of the test sets, and defaults for
# the others. It must run in a subshell, since it also defines the functions of the
# scenario.
read_head() {
	about='' kernels='main next' stages=2 expect='' when=always
	mem=512M cpus=1 numa=none dimm='' limit=60 words='' qemu='' programs='' threads=''
	machines='x86 arm64' pages='4k 16k 64k' family=$asked_family firmware='' host_gib=0
	# Heads use these two variables, which the guest sets as well. A head that names
	# another family than asked_family is for pages of 4 KiB.
	# shellcheck disable=SC2034
	PAGE_SIZE=$((1024 * $(its_pages | tr -d k)))
	# Scenarios that are based on another one source it from this folder.
	# shellcheck disable=SC2034
	kho_tests=$ours/tests
	local setting settings
	IFS=: read -ra settings <<<"$1"
	for setting in "${settings[@]:1}"; do
		printf -v "${setting%%=*}" %s "${setting#*=}"
	done
	[[ $(file_of "$1") != "$root/host/"* ]] || machines=x86
	# shellcheck source=/dev/null
	. "$(file_of "$1")"
}

# Prints the kernels that the scenario needs, by their names in build/kernel.
its_kernels() {
	local part
	for part in $kernels; do
		in_family "$family" "${part%%.*}"
	done
}

# Prints the size of the pages of these kernels.
its_pages() {
	pages_of "$family"
}

# Prints the machine of these kernels.
family_machine() {
	machine_of "$(in_family "$family" main)"
}

# Prints how many GiB of the host's memory are free.
free_gib() {
	awk '$1 == "MemAvailable:" { print int($2 / 1048576) }' /proc/meminfo
}

# Prints why the scenario cannot run on this machine; nothing if it can.
unfit() {
	local kernel
	[[ " $machines " == *" $machine "* ]] || { echo "for $machines only"; return; }
	[[ " $pages " == *" $(its_pages) "* ]] || { echo "for pages of $pages only"; return; }
	((host_gib <= $(free_gib))) ||
		{ echo "needs $host_gib GiB of the host, of which $(free_gib) are free"; return; }
	for kernel in $(its_kernels); do
		(machine_of "$kernel") >/dev/null 2>&1 || { echo "there is no kernel $kernel"; return; }
	done
}

# Prints the memory of the guest. Heads say how much it needs with pages of 4 KiB.
guest_mem() {
	local regions=3
	case $numa in
	[24]) regions=$((2 + numa)) ;;
	esac
	echo "$(with_scratch "$(mebibytes "$mem")" $regions "$family")M"
}

list() {
	local name
	for name in $(all_names); do
		(read_head "$name" && printf '%-16s %s\n' "$name" "$about")
	done
}

# Prints the tests that run when none is named.
default_names() {
	local name
	for name in $(all_names); do
		(read_head "$name"; [[ $when != always ]] || echo "$name")
	done
}

# longest_first NAME...: prints the tests in the order of their time limits, longest
# first, so that no CPU is idle at the end
longest_first() {
	local name
	for name; do
		(read_head "$name" && printf '%d %s\n' "$limit" "$name")
	done | sort -k 1,1nr -s | cut -d ' ' -f 2
}

# kernels_of NAME...: prints each kernel that these tests need, once. The main kernels
# come first, because the builds of others start from their objects.
kernels_of() {
	local name machine
	for name; do
		(
			read_head "$name"
			machine=$(family_machine)
			[[ -n $(unfit) ]] || its_kernels
		)
	done | awk 'NF && !seen[$0]++ { print ($0 ~ /^(main|arm64(-[0-9]+k)?)$/ ? 0 : 1), $0 }' |
		sort | cut -d ' ' -f 2
}

# machines_of NAME...: prints each machine that these tests need
machines_of() {
	local kernel
	for kernel in $(kernels_of "$@"); do
		machine_of "$kernel"
	done | sort -u
}

# --------------------------------------------------------------------- machines

# run_one NAME: runs a test. The first line of NAME.result has the seconds that it took
# and what it is about; the other lines are from judge.awk.
run_one() {
	local name=$1 start=$SECONDS machine part boot=() why program
	local log=$vms/$name.log

	read_head "$name"
	rm -f "$log" "$vms/$name.cpio"
	machine=$(family_machine)
	why=$(unfit)
	if [[ -n $why ]]; then
		printf '0 %s (%s)\n0 0 1\n' "$about" "$why" >"$vms/$name.result"
		return
	fi
	if [[ $(file_of "$name") == "$root/host/"* ]]; then
		run_host_test "$name"
		return
	fi
	for part in $kernels; do
		boot+=("$part=$(in_family "$family" "${part%%.*}")")
	done
	for program in $programs; do
		boot+=(--program "$program")
	done
	"$root/host/vm/initramfs.sh" "$vms/$name.cpio" "$machine" "${boot[@]}" || true
	"$root/host/vm/vm.sh" --name "$name" --machine "$machine" --firmware "$firmware" \
		--initrd "$vms/$name.cpio" --kernel "$(image_of "${boot[0]#*=}")" \
		--mem "$(guest_mem)" --cpus "$cpus" --numa "$numa" --dimm "$dimm" --limit "$limit" \
		--qemu "$qemu" ${threads:+--one-thread} \
		--append "$(sed "/^#/d" "$ours/cmdline") kho_test=${name%%:*} kho_stage=1 $words" || true
	rm -f "$vms/$name.cpio"
	[[ -f $log ]] || echo "   0.000000 vm: was not started" >"$log"
	{
		echo "$((SECONDS - start)) $about"
		awk -v stages="$stages" -v expect="$expect" -f "$ours/judge.awk" "$log"
	} >"$vms/$name.result"
}

# result WHAT COMMAND...: for host_test: runs COMMAND and prints a line of TAP, and after
# a failure the output of COMMAND
result() {
	local what=$1 out
	shift
	if out=$("$@" 2>&1); then
		echo "ok - $what"
	else
		echo "not ok - $what"
		{ grep -m 20 -iE 'error|warning|check: |==>' <<<"$out" || tail -n 20 <<<"$out"; } | sed 's/^/# /'
	fi
}

# Runs host_test with its TAP as the log. A result that is planned and missing counts as
# failed, as in judge.awk.
run_host_test() {
	local start=$SECONDS status=0

	(host_test) >"$log" 2>&1 || status=$?
	{
		echo "$((SECONDS - start)) $about"
		awk -v status="$status" '
			/^1\.\.[0-9]+$/ { plan = substr($0, 4) + 0 }
			/^ok / { if (/# SKIP/) s++; else p++; why = 0 }
			/^not ok / { f++; reason = reason "\n" $0; why = 3 }
			/^# / && why-- > 0 { reason = reason "\n  " $0 }
			END {
				if (!plan)
					reason = reason "\nno plan"
				if (plan > p + f + s) {
					reason = reason "\n" p + f + s " results, " plan " planned"
					f += plan - p - f - s
				}
				if ((status || !plan || plan < p + f + s) && !f) {
					reason = reason "\nstatus " status ", " plan " planned"
					f++
				}
				print p + 0, f + 0, s + 0 reason
			}' "$log"
	} >"$vms/$name.result"
}

# Tests judge.awk, which all scenarios rely on.
test_judge() {
	local out=$vms/judge.log total

	sh "$ours/judge_test.sh" >"$out" || true
	total=$(sed -n 's/^1\.\.//p' "$out")
	{
		echo "0 the rules by which logs are judged"
		echo "$(grep -c '^ok' "$out") $((total - $(grep -c '^ok' "$out"))) 0"
		grep -A 1 '^not ok' "$out" || true
	} >"$vms/judge.result"
	report judge
}

# report NAME: prints the result of a test, and adds it to the totals
report() {
	local name=$1 seconds about p f s
	local result=$vms/$name.result

	{ read -r seconds about && read -r p f s; } <"$result" ||
		die "test $name has no verdict (see $(shown "$vms")/$name.log)"
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	took+=("$seconds $name")

	if ((f)); then
		say "not ok $name - $about ($(duration "$seconds"))"
		sed '1,2d; s/^/  /' "$result" | head -n 30
		say "  --- the end of $(shown "$vms")/$name.log:"
		tail -n 15 "$vms/$name.log" | sed 's/^/  /'
	elif ((s && !p)); then
		say "ok $name - $about # SKIP"
	else
		say "ok $name - $about ($(duration "$seconds")$( ((!s)) || echo ", $s skipped"))"
	fi
}

# mib_of NAME: prints how many MiB of the host the test may use. A guest uses all of its
# memory. Tests that are skipped use less, which does no harm.
mib_of() (
	read_head "$1"
	echo $(($(mebibytes "$(guest_mem)") + $(mebibytes "${dimm:-0M}")))
)

# Prints how many MiB the host has for tests. 1 GiB is left for other programs.
host_mib() {
	awk '$1 == "MemTotal:" { print int($2 / 1024) - 1024 }' /proc/meminfo
}

# Waits until one of the tests in "running" ends, reports it, and takes its memory off
# "used".
await_one() {
	local pid
	wait -n -p pid || true
	report "${running[$pid]}"
	used=$((used - mib[$pid]))
	unset "running[$pid]" "mib[$pid]"
}

# run_all NAME...: runs as many tests at a time as there are CPUs and memory for, and
# reports each when it ends
run_all() {
	local name jobs all used=0 more
	local -A running=() mib=()
	jobs=$(nproc)
	all=$(host_mib)

	for name; do
		more=$(mib_of "$name")
		while ((${#running[@]} >= jobs || (${#running[@]} && used + more > all))); do
			await_one
		done
		rm -f "$vms/$name.result"
		run_one "$name" &
		running[$!]=$name mib[$!]=$more used=$((used + more))
	done
	while ((${#running[@]})); do
		await_one
	done
}

# ---------------------------------------------------------------------- the run

# Prints how long the builds of this run, the slowest tests and all tests took.
times() {
	say ''
	if [[ -f $logs/times ]]; then
		tail -n "+$((times_before + 1))" "$logs/times" |
			awk -F '\t' '{ printf "%4d s  %s\n", $2, $1 }'
	fi
	printf '%s\n' "${took[@]}" | sort -nr | head -5 |
		awk '{ printf "%4d s  test %s\n", $1, $2 }'
	printf '%4d s  all tests\n' $((SECONDS - tests_start))
	say ''
}

main() {
	local name kernel machine order

	asked_family=$(asked_family)
	[[ ${1-} != --list ]] || { list; return; }
	# A test whose head is invalid would be left out silently below.
	for name in $(all_names); do
		(read_head "$name") || die "the head of test '$name' is invalid"
	done
	if ((!$#)); then
		read -ra order <<<"${TESTS:-$(default_names | xargs)}"
		set -- "${order[@]}"
	fi
	for name; do
		file_of "$name" >/dev/null || die "there is no test '$name' (see host/vm/test.sh --list)"
	done

	times_before=0
	[[ ! -f $logs/times ]] || times_before=$(wc -l <"$logs/times")
	for kernel in $(kernels_of "$@"); do
		"$root/host/build/kernel.sh" "$kernel"
	done
	mkdir -p "$vms"
	for machine in $(machines_of "$@"); do
		"$root/host/vm/initramfs.sh" --base "$machine"
	done

	tests_start=$SECONDS passed=0 failed=0 skipped=0 took=()
	mapfile -t order < <(longest_first "$@")
	test_judge
	run_all "${order[@]}"
	times

	((!skipped)) || say "$skipped skipped"
	say "$passed passed, $failed failed"
	((passed && !failed))
}

main "$@"
