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
# the guest's part, with ../liveupdate/bench.c for live update. The blackout is the time
# from its last instruction in the old kernel's user space to the first one in the new
# kernel's.

set -euo pipefail
# shellcheck source=host/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

readonly ours=$root/tools/testing/selftests/kho
readonly liveupdate=$root/tools/testing/selftests/liveupdate
readonly out=$build/bench
readonly words='loglevel=5 panic=-1 no_timer_check printk.devkmsg=on nokaslr kho=on'

# Words of the kernel that has live update. Scratch is small, so that none of a file's
# pages lies in it and has to be moved.
readonly live='liveupdate=on kho_scratch=32M,128M,96M'

# Words for kernels that are copied at the kexec, and that unpack themselves; and for an
# initrd of the size that distributions have.
readonly late='kho_load_ahead=0'
readonly ballast='kho_bench_ballast=60 kho_scratch=32M,256M,32M'

# ------------------------------------------------------------------------ the runs

# Prints a line for each run: its name, kernel, memory, time limit in seconds, what is
# preserved (see the guest's part), and more words for the kernel's command line.
runs() {
	cat <<-END
		nokho        bench-nokho  6G   120  none
		bare         bare         6G   120  none               $late
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
		timeline-no  bench-nokho  6G   300  none
		late         bench        6G   300  none               $late
		initrd       bench        6G   300  none               $ballast
		initrd-late  bench        6G   300  none               $ballast $late
		parallel     bench        2G   120  parallel,100
		ram-1g-on    bench        1G   90   memory
		ram-1g-off   bench        1G   90   memory             kho=off
		ram-2g-on    bench        2G   90   memory
		ram-2g-off   bench        2G   90   memory             kho=off
		ram-8g-on    bench        8G   90   memory
		ram-8g-off   bench        8G   90   memory             kho=off
		luo-empty         bench  4G  150  luo,session            $live
		luo-small         bench  4G  300  luo,memfd,1024,1       $live
		luo-sparse        bench  4G  300  luo,memfd,1024,16      $live
		luo-huge          bench  4G  300  luo,memfd,1024,1,huge  $live
		luo-late          bench  4G  300  luo,late,1024,1        $live
		luo-4g            bench  8G  600  luo,memfd,4096,1       $live
		luo-files-1k      bench  4G  200  luo,files,1000         $live
		luo-files-10k     bench  4G  300  luo,files,10000        $live
		luo-sessions-1k   bench  4G  200  luo,sessions,1000      $live
		luo-sessions-10k  bench  4G  300  luo,sessions,10000     $live
		luo-parallel      bench  6G  400  luo,works,512,6        $live
		vm-none           bench-vm  8G  150  luo,session            $live
		vm-1g             bench-vm  8G  400  vm,1024                $live
		vm-2g             bench-vm  8G  400  vm,2048                $live
		vm-4g             bench-vm  8G  600  vm,4096                $live
		vm-4g-huge        bench-vm  8G  400  vm,4096,huge           $live
		arm64-empty  arm64-bench  6G   120  none
		arm64-late   arm64-bench  6G   120  none               $late
		arm64-small  arm64-bench  6G   120  10000,0,scattered
		arm64-huge   arm64-bench  6G   120  1000,9,dense
	END
	[[ -z ${PEER:-} ]] || peer_runs
}

# The same for the peer. The name of a run is "peer-" and the name of our run.
peer_runs() {
	cat <<-END
		peer-empty       peer     6G   120  none
		peer-initrd      peer     6G   300  none               $ballast
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
		peer-luo-empty        peer  4G  150  luo,session            $live
		peer-luo-small        peer  4G  300  luo,memfd,1024,1       $live
		peer-luo-sparse       peer  4G  400  luo,memfd,1024,16      $live
		peer-luo-huge         peer  4G  300  luo,memfd,1024,1,huge  $live
		peer-luo-late         peer  4G  300  luo,late,1024,1        $live
		peer-luo-4g           peer  8G  900  luo,memfd,4096,1       $live
		peer-luo-files-1k     peer  4G  600  luo,files,1000         $live
		peer-luo-sessions-1k  peer  4G  600  luo,sessions,1000      $live
		peer-luo-parallel     peer  6G  400  luo,works,512,6        $live
	END
}

# The functions of the kernel that the phases of a handover begin with.
readonly phases='kernel_kexec machine_kexec start_kernel mm_core_init memblock_free_all page_alloc_init_late kho_deferred_done populate_rootfs free_initmem'

# The functions before and after the checksum and the checks of an incoming handover.
readonly checks='kho_image_seal machine_kexec kho_check_map kho_check_blobs'

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
		$2 == to && since { printf "%.0f\n", $3 - since; exit }' "$out/$run.insns"
}

# phases_of RUN: prints a line "phase<tab>instructions" for each phase of the handover
phases_of() {
	local run=$side$1
	[[ -f $out/$run.insns && -f $out/$run.log ]] || return 0
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
		}' "$out/$run.insns"
}

# run_one NAME KERNEL MEMORY LIMIT PRESERVED [WORD...]: does a run
run_one() {
	local name=$1 kernel=$2 mem=$3 limit=$4 set=$5 more=${*:6}
	local archive=$out/$name.cpio next=$kernel icount=--icount cpus=1 qemu='' machine functions programs=()
	machine=$(machine_of "$kernel")
	case $set in
	memory) set=none next=none ;;
	parallel,*) next=none icount='' cpus=2 ;;
	luo,works,*) icount='' cpus=2 ;;
	vm,*) programs=(--program vm) ;;
	esac
	case $name in
	timeline* | checks | late | initrd* | vm-1g)
		functions=$phases
		[[ $name != checks ]] || functions=$checks
		# shellcheck disable=SC2086 # words
		marks "$kernel" $functions >"$out/$name.marks"
		qemu="-plugin $out/insns.so,marks=$out/$name.marks,out=$out/$name.insns"
		;;
	esac

	"$root/host/vm/initramfs.sh" "$archive" "$machine" "$kernel" \
		--add "$ours/bench.sh" kho/tests/bench.sh --add "$out/cmdline-$machine" kho/bench-cmdline \
		--add "$out/$machine/luo-bench" bin/luo-bench "${programs[@]}"
	# shellcheck disable=SC2086 # words
	"$root/host/vm/vm.sh" --name "bench-$name" --machine "$machine" --kernel "$(image_of "$kernel")" \
		--initrd "$archive" --mem "$mem" --cpus "$cpus" --limit "$limit" $icount --qemu "$qemu" \
		--append "$(cat "$out/cmdline-$machine") $more kho_test=bench kho_stage=1 kho_bench=$set kho_bench_next=$next" || true
	rm -f "$archive"
}

# kernels_of RUN...: prints each kernel that these runs need, once, in the order of the
# table of kernels: a seed comes before what is built from it.
kernels_of() {
	runs | awk -v names=" $* " '
		NR == FNR { if (index(names, " " $1 " ")) wanted[$2]; next }
		$1 in wanted { print $1 }' - "$root/host/build/config/kernels"
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

# run_all NAME...: does as many runs at a time as there are CPUs. Those with "parallel" in
# their names run alone, because their machines have two CPUs.
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

# sum RUN STAGE NAME...: prints the sum of such values
sum() {
	local name value sum=0
	for name in "${@:3}"; do
		value=$(figure "$1" "$2" "$name")
		sum="$sum + ${value:-?}"
	done
	calc '%.0f' "$sum"
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

# question TEXT UNIT: begins a table with TEXT, which the rows that follow answer, and
# UNIT, the unit of rows that have none of their own, as its head
question() {
	asked=$1\|$2
}

# row TITLE VALUE OP TARGET [UNIT]: adds "title|value|target|verdict|question|unit" to the
# rows. OP is <= or >=, or "-" if there is no target. Values have no thousands
# separators yet: number() adds them where a table is written.
row() {
	local verdict=''
	if [[ -z $2 ]]; then
		verdict='not measured'
	elif [[ $3 != - ]]; then
		verdict=$(awk "BEGIN { print ($2 $3 $4) ? \"reached\" : \"NOT REACHED\" }")
	fi
	rows+=("$1|${2:--}${2:+${5-}}|$([[ $3 == - ]] || echo "$3 $4${5-}")|$verdict|$asked")
}

# map_nodes RUN: prints how many pages of the map the folios take
map_nodes() {
	local before after
	before=$(figure "$1" 1 nodes-before) after=$(figure "$1" 1 nodes)
	calc '%d' "${after:-?} - ${before:-?}"
}

# mem_ratio SIZE: prints how many percent of MemAvailable are left with kho=on
mem_ratio() {
	local on off
	on=$(figure "ram-$1-on" 1 mem-available) off=$(figure "ram-$1-off" 1 mem-available)
	calc '%.2f' "100 * ${on:-?} / ${off:-?}"
}

collect() {
	local a b n size
	rows=()
	question 'How much longer is the blackout for each folio?' 'Instructions per folio'
	row '4 KiB folios, scattered, 1,000,000 of them in 12 GiB' \
		"$(growth small-1m empty-12g 1000000)" '<=' 250
	row '4 KiB folios, scattered, 100,000 of them' "$(growth small-100k empty 100000)" '<=' 250
	row '4 KiB folios, scattered, 40,000 of them' "$(growth small-40k empty 40000)" '<=' 250
	row '4 KiB folios, scattered, 10,000 of them' "$(growth small-10k empty 10000)" '<=' 250
	row '4 KiB folios, scattered, 1,000 of them' "$(growth small-1k empty 1000)" - -
	row '2 MiB folios, 1,000 of them' "$(growth huge empty 1000)" '<=' 500
	row '1 GiB folio, one' "$(growth giant empty 1)" '<=' 5000
	for n in 1 2 4 8; do
		row "2 MiB folios, $n GiB of them in 12 GiB" \
			"$(growth "size-${n}g" empty-12g $((n * 512)))" - -
	done
	a=$(between checks kho_check_map kho_check_blobs)
	row 'Of this, checks and checksum in the new kernel, 10,000 of 4 KiB' \
		"$(calc '%.1f' "${a:-?} / 10000")" - -
	a=$(between checks kho_image_seal machine_kexec)
	row 'Of this, the checksum in the old kernel, 10,000 of 4 KiB' \
		"$(calc '%.1f' "${a:-?} / 10000")" - -

	question 'How long is the blackout with nothing preserved?' 'Instructions'
	a=$(blackout bare) b=$(blackout nokho)
	row 'Growth against a kernel without KHO' \
		"$(calc '%.3f' "100 * (${a:-?} - ${b:-?}) / ${b:-?}")" '<=' 0.2 ' %'
	row 'With KHO, image loaded ahead' "$(blackout empty)" '<=' 350000000
	row 'The same with an initrd of 60 MiB' "$(blackout initrd)" - -
	row 'With KHO, image copied at the kexec' "$a" - -
	row 'The same with an initrd of 60 MiB' "$(blackout initrd-late)" - -
	row 'Without KHO' "$b" - -

	question 'How long from the last function of one kernel to the first of the next?' 'Instructions'
	row 'Image loaded ahead' "$(between timeline machine_kexec start_kernel)" '<=' 40000000
	row 'The same with an initrd of 60 MiB' "$(between initrd machine_kexec start_kernel)" - -
	row 'Image copied at the kexec' "$(between late machine_kexec start_kernel)" - -
	row 'The same with an initrd of 60 MiB' "$(between initrd-late machine_kexec start_kernel)" - -

	question 'What does kexec_file_load() cost?' 'Instructions, to 10 million'
	row 'Image loaded ahead' "$(figure empty 1 load)" - -
	row 'Image copied at the kexec' "$(figure late 1 load)" - -
	row 'Image loaded ahead, initrd of 60 MiB' "$(figure initrd 1 load)" - -
	row 'Image copied at the kexec, initrd of 60 MiB' "$(figure initrd-late 1 load)" - -

	question 'What does a call cost?' 'Instructions per call'
	row 'kho_preserve_folio(), 4 KiB' "$(per_call small-10k 1 preserve)" '<=' 60
	row 'kho_preserve_folio(), 2 MiB' "$(per_call huge 1 preserve)" '<=' 60
	row 'kho_unpreserve_folio(), 4 KiB' "$(per_call small-10k 1 unpreserve)" '<=' 60
	row 'kho_unpreserve_folio(), 2 MiB' "$(per_call huge 1 unpreserve)" '<=' 60
	row 'kho_restore_folio(), 4 KiB' "$(per_call small-10k 2 restore)" '<=' 120
	row 'kho_restore_folio(), 2 MiB' "$(per_call huge 2 restore)" '<=' 1000
	row 'kho_restore_folio(), 1 GiB' "$(per_call giant 2 restore)" - -

	question 'What does a run of 262,144 pages cost?' 'Instructions per page'
	row 'kho_preserve_pages()' "$(per_call pages 1 preserve 3)" '<' 1
	row 'kho_restore_pages()' "$(per_call pages 2 restore)" '<' 20

	question 'How much faster are two CPUs than one?' 'Times the calls per second'
	a=$(figure parallel 1 parallel-1-per-s) b=$(figure parallel 1 parallel-2-per-s)
	row 'Preserving and unpreserving folios' "$(calc '%.2f' "${b:-?} / ${a:-?}")" '>=' 1.7
	a=$(figure parallel 1 apart-1-per-s) b=$(figure parallel 1 apart-2-per-s)
	row 'For comparison: setting bits that the CPUs do not share' \
		"$(calc '%.2f' "${b:-?} / ${a:-?}")" - -

	question 'How much memory does it take?' 'Amount'
	row 'Scratch, machine with 8 GiB' "$(figure ram-8g-on 1 scratch)" '<=' 64 ' MiB'
	row 'Scratch, machine with 2 GiB' "$(figure ram-2g-on 1 scratch)" '<=' 64 ' MiB'
	row 'Scratch, machine with 1 GiB' "$(figure ram-1g-on 1 scratch)" '<=' 48 ' MiB'
	for size in 8g 2g 1g; do
		row "MemAvailable, kho=on against kho=off, ${size%g} GiB" "$(mem_ratio $size)" '>=' 99.5 ' %'
	done
	row 'Map nodes, 1,000,000 scattered 4 KiB folios' "$(map_nodes small-1m)" - - ' pages'
	row 'Map nodes, 1,000 folios of 2 MiB' "$(map_nodes huge)" - - ' pages'

	collect_liveupdate
	collect_vm
}

# luo_growth RUN: prints by how much the blackout of RUN is longer than with an empty
# session
luo_growth() {
	local a b
	a=$(blackout "$1") b=$(blackout luo-empty)
	calc '%.0f' "${a:-?} - ${b:-?}"
}

# luo_in_all RUN: prints what the pages of RUN cost from the kexec until each of them has
# been touched
luo_in_all() {
	local growth rest
	growth=$(luo_growth "$1") rest=$(sum "$1" 2 take touch-first touch-rest)
	calc '%.0f' "${growth:-?} + ${rest:-?}"
}

# memfd_rows RUN TARGET OP TARGET: the rows about a memfd, with the targets of PRESERVE_FD
# and of the last row
memfd_rows() {
	row 'PRESERVE_FD' "$(figure "$1" 1 preserve)" '<=' "$2"
	row 'Growth of the blackout' "$(luo_growth "$1")" - -
	row 'RETRIEVE_FD' "$(figure "$1" 2 take)" '<=' 100000
	row 'The first page touched' "$(figure "$1" 2 touch-first)" '<=' 30000
	row 'All other pages touched once' "$(figure "$1" 2 touch-rest)" - -
	row 'Blackout, RETRIEVE_FD and all pages touched, together' "$(luo_in_all "$1")" "$3" "$4"
	row 'FINISH, after all were touched' "$(figure "$1" 2 finish)" - -
}

# What there can be many of, as lines "title|sessions or files|value". The value is
# "blackout", or the stage and the name of a figure, which is that of all if there is a
# "*" before it.
readonly many='Growth of the blackout, sessions with a file|sessions|blackout
Growth of the blackout, files of one session|files|blackout
open() and the first RETRIEVE_SESSION, by sessions|sessions|* 2 open
CREATE_SESSION|sessions|1 create
RETRIEVE_SESSION|sessions|2 retrieve
PRESERVE_FD, one file in each session|sessions|1 preserve
PRESERVE_FD, all files in one session|files|1 preserve
RETRIEVE_FD, one file in each session|sessions|2 take
RETRIEVE_FD, all files in one session|files|2 take
FINISH, one file in each session|sessions|2 finish
FINISH, all files in one session, by files|files|2 finish'

# luo_each COUNT KIND VALUE: prints such a value for one of COUNT, 1k or 10k
luo_each() {
	local run=luo-$2-$1 all
	case $3 in
	blackout) all=$(luo_growth "$run") ;;
	'*'*) all=$(figure "$run" "${3:2:1}" "${3:4}") ;;
	*)
		figure "$run" "${3:0:1}" "${3:2}"
		return
		;;
	esac
	calc '%.0f' "${all:-?} / ${1%k}000"
}

collect_liveupdate() {
	local a b title kind value

	question 'What does live update of a memfd cost, 1 GiB in 4 KiB pages?' 'Instructions'
	memfd_rows luo-small 200000000 '<=' 250000000
	row 'Growth of the blackout, pages written after PRESERVE_FD' "$(luo_growth luo-late)" - -
	row 'RETRIEVE_FD of 4 GiB' "$(figure luo-4g 2 take)" '<=' 100000
	row 'The first page of 4 GiB touched' "$(figure luo-4g 2 touch-first)" '<=' 30000

	question 'The same, 1 GiB in 2 MiB pages' 'Instructions'
	memfd_rows luo-huge 2000000 '<=' 6000000

	question 'The same, 1 GiB of which every 16th page was written' 'Instructions'
	memfd_rows luo-sparse 15000000 - -
	a=$(figure luo-sparse 2 kib)
	row 'Memory of the file afterwards' "$(calc '%.1f' "${a:-?} / 1024")" '<=' 64 ' MiB'

	question 'How much faster do two CPUs bring all pages back than one?' 'Times'
	a=$(figure luo-parallel 2 works-1) b=$(figure luo-parallel 2 works-2)
	row 'RETRIEVE_FD and FINISH, with no page touched' "$(calc '%.2f' "${a:-?} / ${b:-?}")" '>=' 1.7

	question 'What does each of 1,000 small files or sessions cost?' 'Instructions'
	while IFS='|' read -r title kind value; do
		row "$title" "$(luo_each 1k "$kind" "$value")" - -
	done <<<"$many"
	question 'What does each of 10,000 small files or sessions cost?' 'Instructions'
	while IFS='|' read -r title kind value; do
		row "$title" "$(luo_each 10k "$kind" "$value")" - -
	done <<<"$many"
	question 'How many times as much is each of 10,000 as each of 1,000?' 'Times'
	while IFS='|' read -r title kind value; do
		a=$(luo_each 1k "$kind" "$value") b=$(luo_each 10k "$kind" "$value")
		row "$title" "$(calc '%.2f' "${b:-?} / ${a:-?}")" '<=' 1.25
	done <<<"$many"
}

# vm_rest RUN: prints for how long the guest stood still beside the blackout of its host's
# kernels
vm_rest() {
	local gap away
	gap=$(figure "$1" 2 vm-gap) away=$(figure "$1" 2 vm-away)
	calc '%.0f' "${gap:-?} - ${away:-?}"
}

collect_vm() {
	local n away none gap title phase value

	question 'How long does a virtual machine stand still, on a host with 8 GiB?' 'Instructions'
	for n in 1 2 4; do
		row "Memory of $n GiB, in 4 KiB pages" "$(figure "vm-${n}g" 2 vm-gap)" - -
	done
	row 'Memory of 4 GiB, in 2 MiB pages' "$(figure vm-4g-huge 2 vm-gap)" - -
	row 'For comparison: blackout of the host, nothing preserved' "$(blackout vm-none)" - -

	question "How much of that is not the blackout of the host's kernels?" 'Instructions'
	for n in 1g 2g 4g 4g-huge; do
		title=${n/g/ GiB}
		row "Memory of ${title/-huge/, in 2 MiB pages}" "$(vm_rest "vm-$n")" '<=' 30000000
	done

	question 'How much longer is the blackout of the host for the pages of the guest?' 'Instructions'
	none=$(blackout vm-none)
	for n in 1g 2g 4g 4g-huge; do
		title=${n/g/ GiB} away=$(figure "vm-$n" 2 vm-away)
		row "Memory of ${title/-huge/, in 2 MiB pages}" "$(calc '%.0f' "${away:-?} - ${none:-?}")" - -
	done

	question 'Where does the time go that a virtual machine with 1 GiB stands still?' 'Instructions'
	row "The vCPU's state is saved" "$(figure vm-1g 2 vm-save)" - -
	while IFS=$'\t' read -r phase value; do
		row "Kernels: $phase" "$value" - -
	done < <(phases_of vm-1g)
	row 'The files are taken from the session' "$(figure vm-1g 2 vm-retrieve)" - -
	row 'The virtual machine is made' "$(figure vm-1g 2 vm-create)" - -
	row 'It gets its state' "$(figure vm-1g 2 vm-restore)" - -
	gap=$(vm_rest vm-1g) value=$(sum vm-1g 2 vm-save vm-retrieve vm-create vm-restore)
	row 'From there on to its first look at a clock' "$(calc '%.0f' "${gap:-?} - (${value:-?})")" - -
}

# The targets of arm64 are those of x86, times the ratio of what a call that sets a bit
# costs on arm64 and on x86.
collect_arm64() {
	local a b call name
	a=$(per_call arm64-small 1 plain 3) b=$(per_call small-10k 1 plain 3)
	question 'How much longer is the blackout for each folio, on arm64?' 'Instructions per folio'
	row '4 KiB folios, scattered, 10,000 of them, arm64' \
		"$(growth arm64-small arm64-empty 10000)" '<=' "$(scaled 250)"
	row '2 MiB folios, 1,000 of them, arm64' \
		"$(growth arm64-huge arm64-empty 1000)" '<=' "$(scaled 500)"

	question 'How long is the blackout with nothing preserved, on arm64?' 'Instructions'
	row 'Image loaded ahead, arm64' "$(blackout arm64-empty)" - -
	row 'Image copied at the kexec, arm64' "$(blackout arm64-late)" - -

	question 'What does a call cost, on arm64?' 'Instructions per call'
	for call in preserve unpreserve; do
		for name in '4 KiB:small' '2 MiB:huge'; do
			row "kho_${call}_folio(), ${name%:*}, arm64" \
				"$(per_call "arm64-${name#*:}" 1 $call)" '<=' "$(scaled 60)"
		done
	done
	row 'kho_restore_folio(), 4 KiB, arm64' "$(per_call arm64-small 2 restore)" '<=' "$(scaled 120)"
	row 'kho_restore_folio(), 2 MiB, arm64' "$(per_call arm64-huge 2 restore)" '<=' "$(scaled 1000)"
	row 'For comparison: a call that sets a bit, arm64' "$(calc '%.1f' "${a:-?}")" - -
	row 'For comparison: the same call, x86-64' "$(calc '%.1f' "${b:-?}")" - -
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

# Parts of the programs that write tables. number() gives a value thousands
# separators, and drops the fraction where it says nothing. asks() is true for the
# first row of a question.
readonly tables='
	function number(value,   word, sign, whole, fraction, digits) {
		split(value, word, " ")
		if (word[1] !~ /^-?[0-9.]+$/)
			return value
		digits = word[1] >= 1000 || word[1] <= -1000 ? sprintf("%.0f", word[1]) : word[1]
		sign = sub(/^-/, "", digits) ? "-" : ""
		fraction = match(digits, /\./) ? substr(digits, RSTART) : ""
		whole = fraction == "" ? digits : substr(digits, 1, RSTART - 1)
		while (whole ~ /^[0-9]+[0-9][0-9][0-9]/)
			sub(/[0-9][0-9][0-9](,|$)/, ",&", whole)
		return sign whole fraction substr(value, length(word[1]) + 1)
	}
	function in_brackets(unit) {
		return "(" tolower(substr(unit, 1, 1)) substr(unit, 2) ")"
	}
	function asks(question,   first) {
		first = question != asked
		asked = question
		return first
	}'

show() {
	printf '%s\n' "${rows[@]}" | awk -F '|' "$tables"'
		BEGIN { print "6 GiB of memory unless said" }
		asks($5) { printf "\n%-66s %s\n", $5, $6 }
		{ printf "  %-64s %16s  %-14s %s\n", $1, number($2), $3, $4 }'
}

# Collects the peer's figures, and adds a row "title|ours|peer|ratio|question|unit" to
# peer_rows for each row of collect. A row is found by its title and question, since the
# phases of a run that the peer does not have are no rows.
add_peer() {
	local mine=("${rows[@]}") row title a b asks
	local -A theirs=()
	side=peer-
	collect
	side=''
	for row in "${rows[@]}"; do
		IFS='|' read -r title b _ _ asks <<<"$row"
		theirs[$title|$asks]=$b
	done
	for row in "${mine[@]}"; do
		IFS='|' read -r title a _ _ asks <<<"$row"
		b=${theirs[$title|$asks]:--}
		peer_rows+=("$title|$a|$b|$(awk -v a="${a%% *}" -v b="${b%% *}" \
			'BEGIN { if (a > 0 && b != "-") printf "%.2f", b / a }')|$asks")
	done
	rows=("${mine[@]}")
}

show_peer() {
	printf '%s\n' "${peer_rows[@]}" | awk -F '|' -v peer="$(peer_release)" "$tables"'
		$3 == "-" { next }
		asks($5) { printf "\n%-66s %16s %16s  %s\n", $5, "ours", peer, peer " / ours" }
		{ printf "  %-64s %16s %16s  %s\n", $1, number($2), number($3), number($4) }'
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

# Prints a paragraph, valid as Markdown and as reStructuredText, that extrapolates the
# growth to machines that are larger than any that was measured. Prints nothing if a run
# that it is computed from is missing.
extrapolation() {
	local g1 g8 rest
	g1=$(size_growth 1g) g8=$(size_growth 8g)
	rest=$(blackout empty-12g)
	[[ -n $g1 && -n $g8 && -n $rest ]] || return 0
	fold -s -w 78 <<-END | sed 's/ *$//'
		A negative growth means that the blackout becomes shorter: giving a free block of 2 MiB to the page allocator is more work than keeping one that is preserved. With folios of 2 MiB the growth per folio hardly depends on their number: it is $(number "$g1") instructions with 1 GiB preserved and $(number "$g8") with 8 GiB. Extrapolated from the latter, with one CPU doing all of the work, the blackout changes by $(number "$(calc '%.0f' "$g8 * 524288 / 1e6")") million instructions for 1 TiB and by $(number "$(calc '%.0f' "$g8 * 12 * 524288 / 1e6")") million for 12 TiB. The whole blackout of a machine with 12 GiB and nothing preserved takes $(number "$(calc '%.0f' "$rest / 1e6")") million.
	END
}

# number VALUE: with thousands separators
number() {
	awk -v value="$1" "$tables"'BEGIN { print number(value) }'
}

markdown() {
	echo "# What a handover costs"
	printf '\n%s Guests have 6 GiB of memory unless said.\n' "$(origin)"
	printf '%s\n' "${rows[@]}" | awk -F '|' "$tables"'
		asks($5) { print "\n| " $5 " | " $6 " | to reach | |"; print "| --- | ---: | --- | --- |" }
		{ print "| " $1 " | " number($2) " | " $3 " | " $4 " |" }'
	((!${#peer_rows[@]})) || peer_markdown
	printf '\n## Growth with size\n\n%s\n' "$(extrapolation)"
}

peer_markdown() {
	printf '\n## Beside Linux %s\n' "$(peer_release)"
	printf '%s\n' "${peer_rows[@]}" | awk -F '|' -v peer="$(peer_release)" "$tables"'
		$3 == "-" { next }
		asks($5) { print "\n| " $5 " " in_brackets($6) " | ours | " peer " | " peer " / ours |"
			print "| --- | ---: | ---: | ---: |" }
		{ print "| " $1 " | " number($2) " | " number($3) " | " number($4) " |" }'
}

# The same as reStructuredText for the documentation, without rows that were not
# measured. Each question is a table, with the question and the unit as its head.
restructured() {
	printf '.. SPDX-License-Identifier: GPL-2.0-only\n.. Written by host/bench/bench.sh.\n\n%s\n' "$(origin)"
	printf '%s\n' "${rows[@]}" | awk -F '|' "$tables"'
		$2 == "-" { next }
		asks($5) { print "\n.. list-table::\n   :header-rows: 1\n   :widths: 70 30\n"
			print "   * - " $5 "\n     - " $6 }
		{ print "   * - " $1 "\n     - " number($2) }'
	printf '\n%s\n' "$(extrapolation)"
	((!${#peer_rows[@]})) || peer_restructured
}

peer_restructured() {
	printf '\nBeside Linux %s:\n' "$(peer_release)"
	printf '%s\n' "${peer_rows[@]}" | awk -F '|' -v peer="$(peer_release)" "$tables"'
		$3 == "-" { next }
		asks($5) { print "\n.. list-table::\n   :header-rows: 1\n   :widths: 60 20 20\n"
			print "   * - " $5 " " in_brackets($6) "\n     - 6.12\n     - " peer }
		{ print "   * - " $1 "\n     - " number($2) "\n     - " number($3) }'
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

# make_program MACHINE: compiles the guest's part for live update
make_program() {
	local make_words
	mapfile -t make_words < <(kernel_make_words "$1")
	mkdir -p "$out/$1"
	make -s -C "$liveupdate" -f bench.mk OUT="$out/$1" TREE="$tree" "${make_words[@]}" "$out/$1/luo-bench"
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
		make_program "$machine"
	done
	echo "console=ttyS0 $words" >"$out/cmdline-x86"
	echo "console=ttyAMA0 $words" >"$out/cmdline-arm64"
	make_plugin

	skipped=() peer_rows=() asked=''
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
