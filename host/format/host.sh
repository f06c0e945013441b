# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host/format/host.sh - sourced by the tests about the format
#
# Owns the virtual machine that they run in, whose memory is a file on the host.

readonly format=$root/host/format
readonly format_claims=19
readonly luo_claims=7
format_machine=x86
format_writer=write.py

# Makes NAME.stop, the program that a guest starts with kexec instead of a kernel.
make_stop() {
	local cross
	cross=$(kernel_make_words "$format_machine" | sed -n 's/.*CROSS_COMPILE=//p')
	"${cross}gcc" -c -o "$vms/$name.o" "$format/stop-$format_machine.S" &&
		"${cross}objcopy" -O binary -j .text "$vms/$name.o" "$vms/$name.stop"
	rm -f "$vms/$name.o"
}

# boot_guest SCRIPT KERNEL [FILE AS]...: boots KERNEL with the scenario SCRIPT of
# host/format, and with each FILE as /AS
boot_guest() {
	local script=$1 kernel=$2 added=()
	shift 2
	while (($#)); do
		added+=(--add "$1" "$2")
		shift 2
	done

	"$root/host/vm/initramfs.sh" "$vms/$name.cpio" "$format_machine" \
		--add "$format/$script.sh" kho/tests/format.sh \
		--add "$format/guest.sh" kho/format.sh \
		--add "$format/luo-guest.sh" kho/luo-format.sh "${added[@]}" &&
	"$root/host/vm/vm.sh" --name "$name.vm" --machine "$format_machine" --initrd "$vms/$name.cpio" \
		--kernel "$kernel" --ram "$vms/$name.ram" --mem "$mem" --limit "$limit" \
		--append "$(sed "/^#/d" "$ours/cmdline") kho_test=format kho_stage=1 $words"
	rm -f "$vms/$name.cpio"
}

# boot_tree KHO-FDT KHO-SCRATCH [WORD...]: boots an arm64 machine with the scenario
# "refused" and with these cells in the properties of /chosen; an empty one means that
# /chosen does not have that property. The words are for host/vm/vm.sh.
boot_tree() {
	local dtb=$vms/$name.dtb machine=(-M virt -cpu "max,pauth-impdef=on" -accel tcg -m "$mem")

	qemu-system-aarch64 "${machine[@]/%virt/virt,dumpdtb=$dtb}" -nodefaults -display none 2>/dev/null
	# fdtput needs each cell as a word of its own.
	# shellcheck disable=SC2086 # words
	{
		[[ -z $1 ]] || fdtput -t x "$dtb" /chosen linux,kho-fdt $1
		[[ -z $2 ]] || fdtput -t x "$dtb" /chosen linux,kho-scratch $2
	}
	shift 2
	rm -f "$vms/$name.vm.log"
	touch "$vms/$name.facts"
	"$root/host/vm/initramfs.sh" "$vms/$name.cpio" arm64 \
		--add "$format/refused.sh" kho/tests/format.sh --add "$vms/$name.facts" kho/facts
	"$root/host/vm/vm.sh" --name "$name.vm" --machine arm64 --kernel "$(image_of arm64-small)" \
		--initrd "$vms/$name.cpio" --mem "$mem" --limit "$limit" --qemu "-dtb $dtb" "$@" \
		--append "$(sed "/^#/d" "$ours/cmdline") kho_test=format kho_stage=1 $words" || true
	rm -f "$vms/$name".{cpio,dtb}
}

# untouched KIND: prints a line of TAP: do those folios of the handover KIND that no client
# restored still have their content?
untouched() {
	python3 -B "$format/$format_writer" --untouched "$1" "$vms/$name.ram"
}

# guest_result: prints the verdict of judge.awk as one line of TAP
guest_result() {
	local verdict
	verdict=$(awk -v stages=1 -v expect="$expect" -f "$ours/judge.awk" "$vms/$name.vm.log")
	if [[ $verdict =~ ^[1-9][0-9]*\ 0\ 0 ]]; then
		echo "ok - the guest found all in order"
	else
		echo "not ok - the guest found all in order"
		echo "# ${verdict//$'\n'/$'\n# '}"
	fi
}

# verify: prints a line of TAP for each claim about the handover in memory
verify() {
	python3 -B "$format/verify.py" "$vms/$name.ram" "$vms/$name.vm.log"
}

# verify_luo: the same for the sessions and files of live update
verify_luo() {
	python3 -B "$format/luo_verify.py" "$vms/$name.ram" "$vms/$name.vm.log"
}

# tool_finds WORD...: prints a line of TAP: does the command kho find a sound handover in
# memory, and does its description have each of these words?
tool_finds() {
	local said word why=""

	said=$(python3 -B "$root/tools/kho/kho" verify "$vms/$name.ram" 2>&1) || why=$said
	said=$(python3 -B "$root/tools/kho/kho" dump "$vms/$name.ram" 2>&1) || why+=$said
	for word in "blob kho-6.12,log" "kexec 0, " "$@"; do
		[[ $said == *"$word"* ]] || why+=" no $word"
	done
	[[ $said != *damaged* ]] || why+=" damaged: $said"
	if [[ -z $why ]]; then
		echo "ok - the command kho finds the handover, and says what is in it"
	else
		echo "not ok - the command kho finds the handover, and says what is in it"
		echo "# ${why//$'\n'/$'\n# '}"
	fi
}

# Prints how many lines of TAP guest_result, verify and verify_luo print.
luo_results() {
	echo $((1 + format_claims + luo_claims))
}

# boot_written SCRIPT KIND: boots with the scenario SCRIPT and with the handover KIND in
# memory, which $format_writer made
boot_written() {
	rm -f "$vms/$name.vm.log"
	python3 -B "$format/$format_writer" "$2" "$vms/$name.ram" \
		"$build/kernel/main/arch/x86/boot/bzImage" "$vms/$name.bzImage" "$vms/$name.facts" &&
	boot_guest "$1" "$vms/$name.bzImage" "$vms/$name.facts" kho/facts \
		"$vms/$name.stop" boot/stop
}

# decompiled in|out: prints a line of TAP: does dtc decompile the root FDT that debugfs
# shows, does the source have all that belongs there, and does it compile to the same
# FDT again?
decompiled() {
	local dir=$vms/$name.$1 word why=""

	mkdir -p "$dir"
	sed -n "s/.*kho-fdt: $1 \([A-Za-z0-9+\/=]*\).*/\1/p" "$vms/$name.vm.log" |
		base64 -d | gunzip >"$dir/dtb" || why="no FDT in the log"
	dtc -q -I dtb -O dts "$dir/dtb" >"$dir/dts" 2>"$dir/said" &&
		dtc -q -I dts -O dts "$dir/dts" >"$dir/again" 2>>"$dir/said" || why=$(head -3 "$dir/said")
	cmp -s "$dir/dts" "$dir/again" || why+=" not the same again"
	for word in 'compatible = "kho-v4";' 'preserved-memory-map = ' 'kexec-metadata {' \
		'preserved-data = ' 'blob-size = '; do
		grep -qF "$word" "$dir/dts" || why+=" no $word"
	done
	if [[ -z $why ]]; then
		echo "ok - dtc decompiles $1/fdt"
	else
		echo "not ok - dtc decompiles $1/fdt"
		echo "# ${why//$'\n'/$'\n# '}"
	fi
	rm -rf "$dir"
}

# in_and_out KIND [--untouched]: boots with the handover KIND, which write.py made, and checks
# what the kernel hands over again. With --untouched write.py also checks the folios that no
# client restored.
in_and_out() {
	echo "1..$((1 + format_claims + 2 + $# - 1))"
	make_stop && boot_written in "$1"
	guest_result
	verify
	decompiled in
	decompiled out
	(($# == 1)) || untouched "$1"
	rm -f "$vms/$name".{ram,stop,bzImage,facts}
}
