# SPDX-License-Identifier: GPL-2.0-only
#
# luo-in.sh - the guest's part of host/tests/liveupdate-format-in.sh
#
# Takes the sessions and files that luo_write.py says are there, and hands them over once
# more.
#
# shellcheck shell=dash

# shellcheck source=host/format/luo-guest.sh
. /kho/luo-format.sh
# shellcheck source=/dev/null
. /kho/facts

stages=1
plan=15

stage_1() {
	check "a handover came in" came_from "$fact_release" "$fact_kexecs"
	start_agent heir
	check "sessions can be retrieved" retrieve_all
	check "sessions that are broken cannot" broken_fail
	check "the log has a line for each of them" broken_said
	check "nor can they the next time" broken_fail
	check "files of the test client are right" tests_right
	check "memfds are right" memfds_right
	check "memfds that cannot be right fail, each time" failing_fail
	check "FLBs are there" flbs_there
	check "sessions can be finished" finish_all
	check "FLBs are finished" flbs_finished
	check "no hugetlb page is held for what is lost" \
		same reserved "$(meminfo_pages Rsvd)" 0
	check "what nobody could take still waits" waits
	check "the log says once what else is wrong" says_all
	check "the kernel is content" has_not_said 'BUG:|WARNING:|Bad page'
	hand_on
	tell_all $((fact_kexecs + 1))
	# Broken sessions cannot be finished: without "force" the kernel refuses a kexec that
	# would lose them.
	[ -z "$fact_broken" ] || echo 1 >/sys/module/liveupdate/parameters/force
	stop_with "$LUO_ON"
}

# Labels of sessions and files, in /tmp/labels.

# label_of NAME
label_of() {
	cat "/tmp/labels/$1"
}

# new_label NAME LETTER
new_label() {
	mkdir -p /tmp/labels
	labels=$((labels + 1))
	echo "$2$labels" >"/tmp/labels/$1"
}

labels=0

retrieve_all() {
	local name

	for name in $fact_sessions; do
		new_label "$name" s
		ask heir retrieve "$(label_of "$name")" "$name" || { echo "$name"; return 1; }
		says "$name" ask heir name "$(label_of "$name")" || return
	done
}

broken_fail() {
	local name

	for name in $fact_broken; do
		refused EIO ask heir retrieve x "$name" || { echo "$name"; return 1; }
	done
}

broken_said() {
	local name

	for name in $fact_broken; do
		same "lines about $name" "$(dmesg | grep -c "LUO: session ${name}[ :]")" 1 || return
	done
}

# take NAME TOKEN: the label is that of NAME.TOKEN.
take() {
	new_label "$1.$2" f
	ask heir take "$(label_of "$1")" "$2" "$(label_of "$1.$2")" || { echo "$1 $2"; return 1; }
}

# done_with NAME TOKEN: closes the file if its session is not handed on.
done_with() {
	case " $fact_again " in
	*" $1 "*) ;;
	*) ask heir close "$(label_of "$1.$2")" ;;
	esac
}

# fields FACT: splits FACT at its colons into the variables name, token, third and so on.
fields() {
	local IFS=:
	# shellcheck disable=SC2086 # words
	set -- $1
	name=$1 token=$2 third=$3 fourth=$4 fifth=$5 sixth=$6
}

# fact_tests has SESSION:TOKEN:NUMBER:SHA256 of each file. This script cannot read a retrieved
# file of the test client: its number shows that it is the right one, and luo_verify.py checks
# its content in the next handover.
tests_right() {
	local fact name token third fourth fifth sixth

	for fact in $fact_tests; do
		fields "$fact"
		take "$name" "$token" || return
		same "$name $token" "$(last_call | cut -d ' ' -f 1,3,4)" "retrieve $third 0" || return
		done_with "$name" "$token"
	done
}

# fact_memfds has SESSION:TOKEN:SIZE:POS:SEALS:SHA256 of each.
memfds_right() {
	local fact name token third fourth fifth sixth label

	for fact in $fact_memfds; do
		fields "$fact"
		take "$name" "$token" || return
		label=$(label_of "$name.$token")
		same "$name $token" "$(figure_of heir "$label" size):$(figure_of heir "$label" pos):$(
			figure_of heir "$label" seals):$(sha256_of heir "$label")" \
			"$third:$fourth:$fifth:$sixth" || return
		done_with "$name" "$token"
	done
}

# fact_failing has SESSION:TOKEN:ERRORS of each.
failing_fail() {
	local fact name token third fourth fifth sixth said

	for fact in $fact_failing; do
		fields "$fact"
		said=$(ask heir take "$(label_of "$name")" "$token" x) && { echo "$fact worked"; return 1; }
		echo "$said" | grep -qxE "$third" || { echo "$fact: $said"; return 1; }
		refused "$said" ask heir take "$(label_of "$name")" "$token" x || { echo "$fact"; return 1; }
	done
}

# fact_flbs has NAME:NUMBER of each.
flbs_there() {
	local fact which=""

	for fact in $fact_flbs; do
		echo "get_incoming $which" >$TESTS/flb || return
		same "$fact" "$(last_call)" "get_incoming ${fact%:*} ${fact#*:} 0" || return
		echo "put_incoming $which" >$TESTS/flb || return
		which=1
	done
}

flbs_finished() {
	local fact

	for fact in $fact_flbs; do
		same "$fact" "$(grep "^flb_finish ${fact%:*} " $TESTS/log)" \
			"flb_finish ${fact%:*} ${fact#*:} 0" || return
	done
}

finish_all() {
	local name

	for name in $fact_sessions; do
		all heir "finish $(label_of "$name")
			close $(label_of "$name")" || return
	done
}

meminfo_pages() {
	sed -n "s/^HugePages_$1: *//p" /proc/meminfo
}

waits() {
	[ -z "$fact_unclaimed" ] ||
		same unclaimed "$(kho_stat in unclaimed_folios)" "$fact_unclaimed"
}

# fact_says has what the log says, with underscores in place of blanks.
says_all() {
	local line

	for line in $fact_says; do
		line=$(echo "$line" | tr _ ' ')
		same "$line" "$(dmesg | grep -c "LUO: $line")" 1 || return
	done
}

# Hands the sessions of fact_again on, with their files, under the same names and tokens.
hand_on() {
	local name fact token third fourth fifth sixth files all=0 first=0

	tell_luo number $((fact_number + 1))
	for name in $fact_again; do
		ask heir create "$(label_of "$name")" "$name"
		files=0
		for fact in $fact_tests; do
			[ "$name" = "${fact%%:*}" ] || continue
			fields "$fact"
			hand_on_file
			tell_luo test "$name $token $fourth"
			all=$((all + 1))
			[ "$token" = 18446744073709551615 ] || first=$((first + 1))
		done
		for fact in $fact_memfds; do
			[ "$name" = "${fact%%:*}" ] || continue
			fields "$fact"
			hand_on_file
			tell_memfd heir "$(label_of "$name.$token")" "$name" "$token"
		done
		tell_luo session "$name" "$files"
	done
	# The file with the last token is the only one of the other handler.
	[ $all -eq 0 ] || tell_luo flb test-flb-v1 $all
	[ $first -eq 0 ] || tell_luo flb test-second-v1 $first
}

hand_on_file() {
	ask heir preserve "$(label_of "$name")" "$token" "$(label_of "$name.$token")"
	files=$((files + 1))
}
