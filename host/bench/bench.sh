#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host/bench/bench.sh - what a handover costs, in guest instructions
#
#   host/bench/bench.sh [RUN...]    does all runs, or only these
#   host/bench/bench.sh --list      lists the runs
#
#   PEER=WHAT    does the same with another kernel that has a KHO, see
#                host/peer/peer.sh. It does so with small numbers of folios only, since
#                a kernel that is slow with many folios would take hours.
#
# Owns the runs, the table of figures with their targets, and the plots:
# build/bench/table.md is for reading; figures.inc and *.svg are for the documentation.
# A run is one virtual machine whose time counts instructions (host/vm/vm.sh --icount),
# so that figures do not depend on the host. tools/testing/selftests/kho/bench.sh is
# the guest's part. The blackout is the time from its last instruction in the old
# kernel's user space to the first one in the new kernel's.

set -euo pipefail
# shellcheck source=host/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

readonly ours=$root/tools/testing/selftests/kho
readonly out=$build/bench
readonly words='loglevel=5 panic=-1 no_timer_check printk.devkmsg=on nokaslr kho=on'

# ------------------------------------------------------------------------ the runs

# Prints a line for each run: its name, kernel, memory, time limit in seconds, what is
# preserved (see the guest's part), and more words for the kernel's command line.
runs() {
	cat <<-'END'
		nokho        nokho  6G   120  none
		bare         bare         6G   120  none
		empty        bench        6G   120  none
		small-1k     bench        6G   120  1000,0,scattered
		small-10k    bench        6G   120  10000,0,scattered
		small-40k    bench        6G   120  40000,0,scattered
		small-100k   bench        6G   150  100000,0,scattered
		empty-12g    bench        12G  150  none
		small-1m     bench        12G  400  1000000,0,scattered
		huge         bench        6G   120  1000,9,dense
		giant        bench        6G   120  1,18,dense
		pages        bench        6G   120  262144,0,run
		size-1g      bench        12G  150  512,9,dense
		size-2g      bench        12G  150  1024,9,dense
		size-4g      bench        12G  150  2048,9,dense
		size-8g      bench        12G  150  4096,9,dense
		checks       bench        6G   300  10000,0,scattered
		timeline     bench        6G   300  none
		timeline-no  nokho  6G   300  none
		parallel     bench        2G   120  parallel,100
		ram-1g-on    bench        1G   90   memory
		ram-1g-off   bench        1G   90   memory             kho=off
		ram-2g-on    bench        2G   90   memory
		ram-2g-off   bench        2G   90   memory             kho=off
		ram-8g-on    bench        8G   90   memory
		ram-8g-off   bench        8G   90   memory             kho=off
		arm64-empty  arm64-bench  6G   120  none
		arm64-small  arm64-bench  6G   120  10000,0,scattered
		arm64-huge   arm64-bench  6G   120  1000,9,dense
	END
	[[ -z ${PEER:-} ]] || peer_runs
}

# The same for the peer. The name of a run is "peer-" and the name of our run.
peer_runs() {
	cat <<-'END'
		peer-empty       peer     6G   120  none
		peer-small-1k    peer     6G   120  1000,0,scattered
		peer-small-10k   peer     6G   120  10000,0,scattered
		peer-small-40k   peer     6G   600  40000,0,scattered
		peer-huge        peer     6G   120  1000,9,dense
		peer-giant       peer     6G   120  1,18,dense
		peer-pages       peer     6G   120  262144,0,run
		peer-parallel    peer     2G   120  parallel,100
		peer-ram-1g-on   peer     1G   90   memory
		peer-ram-1g-off  peer     1G   90   memory             kho=off
		peer-ram-2g-on   peer     2G   90   memory
		peer-ram-2g-off  peer     2G   90   memory             kho=off
		peer-ram-8g-on   peer     8G   90   memory
		peer-ram-8g-off  peer     8G   90   memory             kho=off
	END
}

# The functions of the kernel that the phases of a handover begin with.
readonly phases='kernel_kexec machine_kexec start_kernel mm_core_init memblock_free_all page_alloc_init_late kho_deferred_done populate_rootfs free_initmem'

# The functions before and after the checksum and the checks of an incoming handover.
readonly checks='kho_seal machine_kexec kho_incoming_accept kho_reserve_mem_settle'

# marks KERNEL FUNCTION...: prints their addresses, for host/bench/insns.c
marks() {
	nm "$build/kernel/$1/vmlinux" |
		awk -v names=" ${*:2} " 'index(names, " " $3 " ") { print $1, $3 }'
}

# between RUN FUNCTION FUNCTION: prints the instructions from the first call of the
# first function to the next call of the second one
between() {
	local run=$side$1
	[[ -f $out/$run.insns && -f $out/$run.log ]] || return 0
	awk -v from="$2" -v to="$3" '
		$2 == from && !since { since = $3 }
		$2 == to && since { print $3 - since; exit }' "$out/$run.insns"
}

# phases_of RUN: prints a line "phase<tab>instructions" for each phase of the handover
phases_of() {
	[[ -f $out/$1.insns && -f $out/$1.log ]] || return 0
	awk '
		BEGIN {
			name["kernel_kexec"] = "shutdown of the old kernel"
			name["machine_kexec"] = "relocation, checksum, decompression"
			name["start_kernel"] = "early boot"
			name["mm_core_init"] = "start of the page allocator"
			name["memblock_free_all"] = "hand-over to it, and other early boot"
			name["page_alloc_init_late"] = "deferred init"
			name["kho_deferred_done"] = "drivers"
			name["populate_rootfs"] = "initramfs"
		}
		$2 == "kernel_kexec" { on = 1 }
		on {
			if (from in name)
				print name[from] "\t" $3 - since
			from = $2; since = $3
		}' "$out/$1.insns"
}

# run_one NAME KERNEL MEMORY LIMIT PRESERVED [WORD]: does a run
run_one() {
	local name=$1 kernel=$2 mem=$3 limit=$4 set=$5 more=${6-}
	local archive=$out/$name.cpio next=$kernel icount=--icount cpus=1 qemu='' machine functions
	machine=$(machine_of "$kernel")
	case $set in
	memory) set=none next=none ;;
	parallel,*) next=none icount='' cpus=2 ;;
	esac
	case $name in
	timeline* | checks)
		functions=$phases
		[[ $name != checks ]] || functions=$checks
		# shellcheck disable=SC2086 # words
		marks "$kernel" $functions >"$out/$name.marks"
		qemu="-plugin $out/insns.so,marks=$out/$name.marks,out=$out/$name.insns"
		;;
	esac

	"$root/host/vm/initramfs.sh" "$archive" "$machine" "$kernel" \
		--add "$ours/bench.sh" kho/tests/bench.sh --add "$out/cmdline-$machine" kho/bench-cmdline
	# shellcheck disable=SC2086 # words
	"$root/host/vm/vm.sh" --name "bench-$name" --machine "$machine" --kernel "$(image_of "$kernel")" \
		--initrd "$archive" --mem "$mem" --cpus "$cpus" --limit "$limit" $icount --qemu "$qemu" \
		--append "$(cat "$out/cmdline-$machine") $more kho_test=bench kho_stage=1 kho_bench=$set kho_bench_next=$next" || true
	rm -f "$archive"
}

# kernels_of RUN...: prints each kernel that these runs need, once
kernels_of() {
	runs | awk -v names=" $* " 'index(names, " " $1 " ") { print $2 }' | sort -u
}

# report NAME SECONDS: says whether the run gave figures, and keeps its log if so
report() {
	local failed
	failed=$(sed -n 's/.*kho-bench: . failed //p' "$build/vm/bench-$1.log" | xargs)
	if [[ -n $failed ]] || ! grep -q 'vm: ended by itself' "$build/vm/bench-$1.log"; then
		say "no figures from run $1${failed:+, which failed to $failed} (see $(shown "$build/vm/bench-$1.log"))"
		skipped+=("$1")
		rm -f "$out/$1.log"
		return
	fi
	mv "$build/vm/bench-$1.log" "$out/$1.log"
	say "ran $1 ($(duration "$2"))"
}

# run_all NAME...: does as many runs at a time as there are CPUs. "parallel" runs alone,
# because its machine has two CPUs.
run_all() {
	local name line pid start alone=()
	local -A running=() since=()

	while read -r line; do
		read -r name _ <<<"$line"
		[[ " $* " == *" $name "* ]] || continue
		if [[ $name == *parallel ]]; then
			alone+=("$line")
			continue
		fi
		if ((${#running[@]} >= $(nproc))); then
			wait_one
		fi
		# shellcheck disable=SC2086 # words
		run_one $line &
		running[$!]=$name since[$!]=$SECONDS
	done
	while ((${#running[@]})); do
		wait_one
	done
	for line in "${alone[@]}"; do
		start=$SECONDS
		# shellcheck disable=SC2086 # words
		run_one $line
		report "${line%% *}" $((SECONDS - start))
	done
}

# Waits until a run ends, and reports it.
wait_one() {
	wait -n -p pid || true
	report "${running[$pid]}" $((SECONDS - since[$pid]))
	unset "running[$pid]" "since[$pid]"
}

# --------------------------------------------------------------------- the figures

# The front of the names of runs: "peer-" while the figures of the peer are collected.
side=''

# figure RUN STAGE NAME: prints a value that the guest printed, or nothing
figure() {
	local log=$out/$side$1.log
	[[ ! -f $log ]] || sed -n "s/.*kho-bench: $2 $3 //p" "$log" | head -n 1
}

# per_cycle RUN: prints how many instructions a cycle of the counter is. The counter of
# arm64 is slower than the CPU, which executes 1000 instructions in a microsecond here.
per_cycle() {
	local mhz
	mhz=$(figure "$1" 1 clock-mhz)
	calc '%d' "${mhz:+1000 / }${mhz:-1}"
}

# blackout RUN: prints its instructions
blackout() {
	local left arrived
	left=$(figure "$1" 1 left) arrived=$(figure "$1" 2 arrived)
	[[ -z $left || -z $arrived ]] || echo $(((arrived - left) * $(per_cycle "$1")))
}

# per_call RUN STAGE NAME [DIGITS]: prints a figure in instructions, rounded
per_call() {
	local value
	value=$(figure "$1" "$2" "$3")
	calc "%.${4-1}f" "${value:-?} * $(per_cycle "$1")"
}

# calc FORMAT EXPRESSION: prints the value; nothing if the expression contains a "?", which
# stands for a figure that is missing.
calc() {
	[[ $2 == *'?'* ]] || awk "BEGIN { printf \"$1\", $2 }"
}

# growth RUN BASE COUNT: prints by how much the blackout of RUN is longer than that of
# BASE, for each of COUNT folios
growth() {
	local a b
	a=$(blackout "$1") b=$(blackout "$2")
	calc '%.1f' "(${a:-?} - ${b:-?}) / $3"
}

# row TITLE VALUE OP TARGET [UNIT]: adds a row to the table. OP is <= or >=, or "-" if
# there is no target.
row() {
	local verdict=''
	if [[ -z $2 ]]; then
		verdict='not measured'
	elif [[ $3 != - ]]; then
		verdict=$(awk "BEGIN { print ($2 $3 $4) ? \"reached\" : \"NOT REACHED\" }")
	fi
	rows+=("$1|${2:--}${2:+${5-}}|$([[ $3 == - ]] || echo "$3 $4${5-}")|$verdict")
}

# nodes_per_folio RUN COUNT: prints how many pages the map has for each of COUNT folios
nodes_per_folio() {
	local before after
	before=$(figure "$1" 1 nodes-before) after=$(figure "$1" 1 nodes)
	calc '%.5f' "(${after:-?} - ${before:-?}) / $2"
}

# mem_ratio SIZE: prints how many percent of MemAvailable are left with kho=on
mem_ratio() {
	local on off
	on=$(figure "ram-$1-on" 1 mem-available) off=$(figure "ram-$1-off" 1 mem-available)
	calc '%.2f' "100 * ${on:-?} / ${off:-?}"
}

collect() {
	local a b
	rows=()
	row 'growth of the blackout per scattered 4 KiB folio, at 1,000' "$(growth small-1k empty 1000)" - -
	row '  at 10,000' "$(growth small-10k empty 10000)" '<=' 250
	row '  at 40,000' "$(growth small-40k empty 40000)" '<=' 250
	row '  at 100,000' "$(growth small-100k empty 100000)" '<=' 250
	row '  at 1,000,000, 12 GiB' "$(growth small-1m empty-12g 1000000)" '<=' 250
	row 'growth per 2 MiB folio, at 1,000' "$(growth huge empty 1000)" '<=' 500
	row 'growth per 1 GiB folio, at 1' "$(growth giant empty 1)" '<=' 5000
	row '  1 GiB preserved in 2 MiB folios, 12 GiB, per folio' "$(growth size-1g empty-12g 512)" - -
	row '  2 GiB' "$(growth size-2g empty-12g 1024)" - -
	row '  4 GiB' "$(growth size-4g empty-12g 2048)" - -
	row '  8 GiB' "$(growth size-8g empty-12g 4096)" - -
	a=$(blackout bare) b=$(blackout nokho)
	row 'blackout without KHO' "$b" - -
	row 'blackout with nothing preserved' "$a" - -
	row '  against without KHO' "$(calc '%.3f' "100 * (${a:-?} - ${b:-?}) / ${b:-?}")" '<=' 0.2 ' %'
	row 'kho_preserve_folio, order 0' "$(per_call small-10k 1 preserve)" '<=' 60
	row 'kho_preserve_folio, order 9' "$(per_call huge 1 preserve)" '<=' 60
	row 'kho_unpreserve_folio, order 0' "$(per_call small-10k 1 unpreserve)" '<=' 60
	row 'kho_unpreserve_folio, order 9' "$(per_call huge 1 unpreserve)" '<=' 60
	row 'kho_restore_folio, order 0' "$(per_call small-10k 2 restore)" '<=' 120
	row 'kho_restore_folio, order 9' "$(per_call huge 2 restore)" '<=' 1000
	row 'kho_restore_folio, order 18' "$(per_call giant 2 restore)" - -
	row 'kho_preserve_pages, 262,144 pages, per page' "$(per_call pages 1 preserve 3)" '<' 1
	row 'kho_restore_pages, 262,144 pages, per page' "$(per_call pages 2 restore)" '<' 20
	row 'pages of metadata per folio, 1,000 of 2 MiB' "$(nodes_per_folio huge 1000)" - -
	row '  1,000,000 scattered of 4 KiB' "$(nodes_per_folio small-1m 1000000)" - -
	a=$(between checks kho_seal machine_kexec)
	row 'checksum of 10,000 scattered 4 KiB folios, per folio' "$(calc '%.1f' "${a:-?} / 10000")" - -
	a=$(between checks kho_incoming_accept kho_reserve_mem_settle)
	row 'checks of what came in, and the checksum, per folio' "$(calc '%.1f' "${a:-?} / 10000")" - -
	a=$(figure parallel 1 parallel-1-per-s) b=$(figure parallel 1 parallel-2-per-s)
	row 'preserve and unpreserve from 2 CPUs against 1' "$(calc '%.2f' "${b:-?} / ${a:-?}")" '>=' 1.7
	a=$(figure parallel 1 apart-1-per-s) b=$(figure parallel 1 apart-2-per-s)
	row '  a loop that sets bits of its own' "$(calc '%.2f' "${b:-?} / ${a:-?}")" - -
	for size in 1g 2g 8g; do
		row "MemAvailable, kho=on against off, ${size%g} GiB" "$(mem_ratio $size)" '>=' 99.5 ' %'
	done
	row 'scratch, 1 GiB' "$(figure ram-1g-on 1 scratch)" '<=' 56 ' MiB'
	row '  2 GiB' "$(figure ram-2g-on 1 scratch)" '<=' 84 ' MiB'
	row '  8 GiB' "$(figure ram-8g-on 1 scratch)" '<=' 355 ' MiB'
}

# The targets of arm64 are those of x86, times the ratio of what a call that sets a bit
# costs on arm64 and on x86.
collect_arm64() {
	local a b order
	a=$(per_call arm64-small 1 plain 3) b=$(per_call small-10k 1 plain 3)
	row 'arm64: a call that sets a bit' "$a" - -
	row '  on x86-64' "$b" - -
	row 'arm64: growth per scattered 4 KiB folio, at 10,000' \
		"$(growth arm64-small arm64-empty 10000)" '<=' "$(scaled 250)"
	row 'arm64: growth per 2 MiB folio, at 1,000' \
		"$(growth arm64-huge arm64-empty 1000)" '<=' "$(scaled 500)"
	for order in 0:small 9:huge; do
		row "arm64: kho_preserve_folio, order ${order%:*}" \
			"$(per_call "arm64-${order#*:}" 1 preserve)" '<=' "$(scaled 60)"
		row "arm64: kho_unpreserve_folio, order ${order%:*}" \
			"$(per_call "arm64-${order#*:}" 1 unpreserve)" '<=' "$(scaled 60)"
	done
	row 'arm64: kho_restore_folio, order 0' "$(per_call arm64-small 2 restore)" '<=' "$(scaled 120)"
	row 'arm64: kho_restore_folio, order 9' "$(per_call arm64-huge 2 restore)" '<=' "$(scaled 1000)"
}

# scaled TARGET: prints the target for arm64; 0, which nothing reaches, if the ratio is
# unknown.
scaled() {
	if [[ -n $a && -n $b ]]; then
		calc '%d' "$1 * $a / $b"
	else
		echo 0
	fi
}

show() {
	printf '%s\n' "${rows[@]}" | awk -F '|' '
		BEGIN { printf "%-58s %16s  %-14s %s\n", "figure, 6 GiB unless said", "instructions", "to reach", "" }
		{ printf "%-58s %16s  %-14s %s\n", $1, $2, $3, $4 }'
}

# Collects the peer's figures, and adds a row "title|ours|peer|ratio" to peer_rows for
# each row of collect.
add_peer() {
	local mine=("${rows[@]}") i a b
	side=peer-
	collect
	side=''
	for i in "${!rows[@]}"; do
		IFS='|' read -r _ a _ <<<"${mine[i]}"
		IFS='|' read -r _ b _ <<<"${rows[i]}"
		peer_rows+=("${mine[i]%%|*}|$a|$b|$(awk -v a="${a%% *}" -v b="${b%% *}" \
			'BEGIN { if (a > 0 && b != "-") printf "%.2f", b / a }')")
	done
	rows=("${mine[@]}")
}

show_peer() {
	printf '%s\n' "${peer_rows[@]}" | awk -F '|' -v peer="$(peer_release)" '
		BEGIN { printf "%-58s %16s %16s  %s\n", "beside Linux " peer, "ours", "peer", "peer / ours" }
		$3 != "-" { printf "%-58s %16s %16s  %s\n", $1, $2, $3, $4 }'
}

peer_release() {
	sed 's/-peer$//' "$build/kernel/peer/include/config/kernel.release"
}

# Prints what the figures were measured with.
origin() {
	echo "Measured on $(date -u +%F) with Linux $(cat "$build/kernel/bench/include/config/kernel.release")," \
		"$(gcc --version | head -n 1), $(qemu-system-x86_64 --version | head -n 1)."
}

# size_growth SIZE: prints the growth for each folio in the run size-SIZE
size_growth() {
	growth "size-$1" empty-12g $((${1%g} * 512))
}

# Prints a paragraph, valid as Markdown and as reStructuredText, about sizes of memory
# that are too large to be measured here. Prints nothing if a run that it is computed
# from is missing.
extrapolation() {
	local g1 g2 g4 g8 rest
	g1=$(size_growth 1g) g2=$(size_growth 2g) g4=$(size_growth 4g) g8=$(size_growth 8g)
	rest=$(blackout empty-12g)
	[[ -n $g1 && -n $g2 && -n $g4 && -n $g8 ]] || return 0
	cat <<-END
		If S bytes are preserved in 2 MiB folios, the blackout grows by
		g * S / 2 MiB instructions. For 1, 2, 4 and 8 GiB on a machine that has 12, g is
		$g1, $g2, $g4 and $g8. If g is below 0, it is more work to give memory
		to the page allocator than to keep it. With the last g the blackout grows by $(calc '%.3f' "$g8 * 524288 / 1e9") * 10^9
		instructions for 1 TiB and $(calc '%.3f' "$g8 * 12 * 524288 / 1e9") * 10^9 for 12 TiB, if one CPU does all of it.
		The rest of the blackout takes $(calc '%.2f' "$rest / 1e9") * 10^9 with 12 GiB of memory.
	END
}

markdown() {
	echo "# What a handover costs"
	printf '\n%s\n\n' "$(origin)"
	printf '%s\n' "${rows[@]}" | awk -F '|' '
		BEGIN { print "| figure, 6 GiB guest unless said | instructions | to reach | |"
			print "| --- | ---: | --- | --- |" }
		{ sub(/^  /, "\\&emsp;", $1); print "| " $1 " | " $2 " | " $3 " | " $4 " |" }'
	((!${#peer_rows[@]})) || peer_markdown
	printf '\n## Growth with size\n\n%s\n' "$(extrapolation)"
}

peer_markdown() {
	printf '\n## Beside Linux %s\n\n' "$(peer_release)"
	printf '%s\n' "${peer_rows[@]}" | awk -F '|' '
		BEGIN { print "| figure | ours | peer | peer / ours |"; print "| --- | ---: | ---: | ---: |" }
		$3 != "-" { sub(/^  /, "\\&emsp;", $1); print "| " $1 " | " $2 " | " $3 " | " $4 " |" }'
}

# The same as reStructuredText for the documentation, without rows that were not
# measured.
restructured() {
	printf '.. SPDX-License-Identifier: GPL-2.0-only\n.. Written by host/bench/bench.sh.\n\n%s\n\n' "$(origin)"
	printf '.. list-table::\n   :header-rows: 1\n\n'
	printf '   * - Figure, 6 GiB of memory unless said\n     - Instructions\n'
	printf '%s\n' "${rows[@]}" | awk -F '|' '
		$2 != "-" { sub(/^  /, "... ", $1); print "   * - " $1 "\n     - " $2 }'
	((!${#peer_rows[@]})) || peer_restructured
	printf '\n%s\n' "$(extrapolation)"
}

peer_restructured() {
	printf '\nBeside Linux %s:\n\n' "$(peer_release)"
	printf '.. list-table::\n   :header-rows: 1\n\n'
	printf '   * - Figure\n     - 6.12\n     - %s\n' "$(peer_release)"
	printf '%s\n' "${peer_rows[@]}" | awk -F '|' '
		$3 != "-" { sub(/^  /, "... ", $1); print "   * - " $1 "\n     - " $2 "\n     - " $3 }'
}

# plot NAME TITLE UNIT: makes a plot of the lines on standard input, see plot.awk
plot() {
	awk -v title="$2" -v unit="$3" -f "$root/host/bench/plot.awk" >"$out/$1.svg"
}

plots() {
	local n
	{
		for n in 10k:10000 40k:40000 100k:100000; do
			printf '%s\tgrowth\t%s\n' "${n#*:}" "$(growth "small-${n%:*}" empty "${n#*:}")"
		done
		printf '1000000\tgrowth\t%s\n' "$(growth small-1m empty-12g 1000000)"
	} | plot growth 'Blackout per scattered 4 KiB folio' instructions
	{
		phases_of timeline | sed 's/^/with KHO\t/'
		phases_of timeline-no | sed 's/^/without\t/'
	} | plot timeline 'Where the blackout goes, nothing preserved' instructions
}

# Compiles the qemu plugin that the runs "timeline" and "checks" need.
make_plugin() {
	gcc -std=gnu11 -O2 -shared -fPIC -fvisibility=hidden -o "$out/insns.so" "$root/host/bench/insns.c"
}

main() {
	local list kernel machine start=$SECONDS
	[[ ${1-} != --list ]] || { runs; return; }
	mkdir -p "$out" "$build/vm"
	(($#)) || { read -ra list <<<"$(runs | awk '{ print $1 }' | xargs)"; set -- "${list[@]}"; }
	for kernel in $(kernels_of "$@"); do
		"$root/host/build/kernel.sh" "$kernel"
	done
	for kernel in $(kernels_of "$@"); do
		machine_of "$kernel"
	done | sort -u | while IFS= read -r machine; do
		"$root/host/vm/initramfs.sh" --base "$machine"
	done
	echo "console=ttyS0 $words" >"$out/cmdline-x86"
	echo "console=ttyAMA0 $words" >"$out/cmdline-arm64"
	make_plugin

	skipped=() peer_rows=()
	run_all "$@" < <(runs)
	collect
	[[ -z ${PEER:-} ]] || add_peer
	collect_arm64
	say ''
	show
	[[ -z ${PEER:-} ]] || { say ''; show_peer; }
	markdown >"$out/table.md"
	restructured >"$out/figures.inc"
	plots
	say ''
	say "$(shown "$out")/table.md and *.svg; $(duration $((SECONDS - start)))"
	((!${#skipped[@]})) || say "runs without figures: ${skipped[*]}"
}

main "$@"
