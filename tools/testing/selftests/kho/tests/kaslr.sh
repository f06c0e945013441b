# SPDX-License-Identifier: GPL-2.0-only
#
# Ten handovers in which each kernel chooses its address at random. The address has to
# be in scratch, or the kernel overwrites preserved memory. Scratch is larger than by
# default, so that there are several addresses to choose from.
#
# shellcheck shell=dash

about="ten handovers, each kernel at a random address in scratch"
kernels="main"
words="kho_scratch=64M,128M,64M"
machines=x86
mem=1G
stages=11
plan=41
limit=180

stage_1() {
	keep letter 20M || bail_out "cannot keep the file"
	handover main
}

later_stage() {
	local n=$kho_stage place
	place=$(text_address)
	echo "$place" >>"$STATE/places"

	check "kexec $((n - 1)) was a handover" same "kexec count" "$(kexec_count)" $((n - 1))
	check "the kernel at $place is in scratch" in_scratch "$place" "$(text_end)"
	check "the file is intact" intact letter
	check "each restored folio is like a new one" folios_sound

	[ "$n" -eq "$stages" ] || handover main
	check "there were three different addresses or more" many_places
	finish
}

many_places() {
	local places
	places=$(sort -u "$STATE/places" | xargs)

	note "places: $places" >/dev/kmsg
	[ "$(echo "$places" | wc -w)" -ge 3 ] || { echo "only $places"; return 1; }
}
