# SPDX-License-Identifier: GPL-2.0-only
#
# /sys/kernel/kho/ says the same as debugfs and as the kernel log: at cold boot, after a
# handover, and with KHO off. Nobody but root sees physical addresses.
#
# shellcheck shell=dash

about="the files in /sys/kernel/kho/ are right, also after a handover and with kho=off"
kernels="main"
words="liveupdate=on kho_scratch=16M,64M,16M"
stages=3
plan=33

stage_1() {
	check "KHO is on" says_on
	check "there was no handover" came_from_cold
	check "scratch is what debugfs says" same_scratch
	check "none of it is free without a limit" free_in_scratch
	check "all of its sizes add up" sizes_add_up
	check "the next kernel needs less than that" needs_room
	check "folios of several orders can be kept" keep_some
	check "the numbers are those of debugfs" same_folios out preserved
	check "the blobs are those of the root FDT" same_blobs
	check "no kernel is loaded" shows image none
	check "sessions are counted" sessions_count
	check "only root may read addresses" modes
	check "a kernel can be loaded" load_kernel load main "$words"
	check "that it is in place is shown" shows image "in place"
	check "nothing speaks against it" shows image_objection ""
	check "a kernel without kho=on can be loaded" without_kho
	check "that is shown" shows image_objection "its command line switches KHO off"
	remember release "$(uname -r)"
	start_agent keeper
	check "sessions can be handed over" all keeper "create s one
		create t two
		memfd m
		write m 5 0 10
		preserve s 1 m"
	check "they are shown" counts outgoing 2 1
	handover main "$words"
}

stage_2() {
	check "KHO is on" says_on
	check "the handover is shown" came_in_from "$(recall release)" 1
	check "what came in is what debugfs says" same_folios in preserved received
	check "so is what waits" same_folios in unclaimed waiting
	check "something waits" [ "$(cat $KHO_SYS/waiting_bytes)" -ge $((10 * PAGE_SIZE)) ]
	check "scratch is what debugfs says" same_scratch
	check "sessions came in" counts incoming 2 1
	check "none goes out" counts outgoing 0 0
	check "they can be finished" finish_all
	check "so nothing waits any more" shows waiting_bytes 0
	check "and none is shown" counts incoming 0 0
	handover main "$words kho=off"
}

stage_3() {
	check "KHO is off" shows enabled 0
	check "the reason is shown" shows off_reason "the command line has no kho=on"
	check "nothing else is" off_shows_nothing
	finish
}

says_on() {
	shows enabled 1 && shows off_reason "" && shows format kho-v4 && shows checksum 1 &&
		shows load_ahead 1
}

came_from_cold() {
	shows incoming none && shows kexec_count 0 && shows previous_release "" &&
		shows received_bytes 0 && shows waiting "" && ! [ -e $KHO_SYS/log ]
}

came_in_from() {
	shows incoming accepted && shows kexec_count "$2" && shows previous_release "$1"
}

same_scratch() {
	local addr size

	while read -r addr size _; do
		printf '%s 0x%x\n' "$addr" "$size"
	done <$KHO_SYS/scratch >/tmp/scratch
	same scratch "$(cat /tmp/scratch)" "$(regions out)"
}

free_in_scratch() {
	local size free any=0

	while read -r _ size free; do
		[ "$free" -le "$size" ] || { echo "$free of $size are free"; return 1; }
		any=$((any + free))
	done <$KHO_SYS/scratch
	# Most of an idle guest's scratch is free.
	[ "$any" -gt $(($(cat $KHO_SYS/scratch_bytes) / 2)) ] || { echo "$any is free"; return 1; }
}

sizes_add_up() {
	shows scratch_bytes "$(awk '{ n += $2 } END { printf "%d", n }' $KHO_SYS/scratch)"
}

needs_room() {
	local needed
	needed=$(cat $KHO_SYS/scratch_needed)

	[ "$needed" -gt 0 ] && [ "$needed" -lt "$(cat $KHO_SYS/scratch_bytes)" ] && return
	echo "it needs $needed"
	return 1
}

keep_some() {
	keep single 100K 0 && keep large 12M 9
}

# same_folios in|out NAME [FILE]: the numbers of folios in sysfs are those in debugfs.
same_folios() {
	local file="${3:-$2}"

	same "$file" "$(sed 's/^/order_/' "$KHO_SYS/$file")" \
		"$(sed -n "s/^$2_order_/order_/p" "$KHO/$1/stats")" &&
		shows "${file}_bytes" "$(kho_stat "$1" "$2_bytes")"
}

same_blobs() {
	same blobs "$(sort $KHO_SYS/blobs)" \
		"$(cd $KHO/out/sub_fdts && for blob in *; do
			echo "$blob $(wc -c <"$blob")"
		done | sort)"
}

counts() {
	shows "liveupdate/$1_sessions" "$2" && shows "liveupdate/$1_files" "$3"
}

sessions_count() {
	counts outgoing 0 0 && counts incoming 0 0
}

modes() {
	local file mode

	for file in $(cd $KHO_SYS && find . -type f | sort); do
		mode=$(stat -c %a "$KHO_SYS/$file")
		case $file in
		./scratch | ./log | ./liveupdate/incoming_*) same "$file" "$mode" 400 ;;
		*) same "$file" "$mode" 444 ;;
		esac || return
	done
}

without_kho() {
	load_kernel load main "kho=off"
}

finish_all() {
	start_agent taker
	all taker "retrieve s one
		finish s
		close s
		retrieve t two
		finish t
		close t" && forget single large
}

off_shows_nothing() {
	shows scratch "" && shows scratch_bytes 0 && shows preserved "" &&
		shows preserved_bytes 0 && shows blobs "" && shows received "" &&
		shows incoming ignored && shows kexec_count 0 &&
		! [ -e $KHO_SYS/log ] && ! [ -e $KHO_SYS/liveupdate ]
}
