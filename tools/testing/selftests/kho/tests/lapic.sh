# SPDX-License-Identifier: GPL-2.0-only
#
# The first kernel measures for 100 ms how fast the timer of the local APIC counts. The
# next kernels do not: each uses the frequency that the kernel before it hands over, and
# its timers expire when they should.
#
# shellcheck shell=dash

about="the frequency of the local APIC timer is measured by the first kernel only"
kernels="main next"
machines=x86
words="apic=verbose"
stages=3
plan=9

readonly MEASURING="Calibrating APIC timer"

stage_1() {
	check "the first kernel measures the frequency" has_said "$MEASURING"
	check "timers expire in time" in_time
	remember period "$(dmesg | sed -n 's/.*\.\.\. calibration result: //p')"
	handover next "$words"
}

stage_2() {
	arrive
	handover main "$words"
}

stage_3() {
	arrive
	check "all handovers were accepted" came_in 2
	finish
}

arrive() {
	check "kernel $kho_stage does not measure it" has_not_said "$MEASURING"
	check "it has the frequency of the first one" \
		has_said "lapic timer already calibrated $(recall period)\$"
	check "timers expire in time" in_time
}

# A timer of half a second expires after half a second; the machine can be busy.
in_time() {
	local before after took

	read -r before _ </proc/uptime
	sleep 0.5
	read -r after _ </proc/uptime
	took=$(echo "$before $after" | awk '{ printf "%d", ($2 - $1) * 100 }')
	[ "$took" -ge 49 ] && [ "$took" -le 150 ] && return
	echo "it took $took hundredths of a second"
	return 1
}
