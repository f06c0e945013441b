# SPDX-License-Identifier: GPL-2.0-only
#
# luo-guest.sh - the guest's part of tests about the formats of live update, which their
# scenarios source
#
# luo_verify.py reads the lines "luo-format: WORDS" that it prints.
#
# shellcheck shell=dash

# shellcheck source=host/format/guest.sh
. /kho/format.sh

TESTS=/sys/kernel/debug/test_liveupdate

tell_luo() {
	echo "luo-format: $*"
}

# tell_memfd AGENT FILE SESSION TOKEN: describes AGENT's FILE, which is in SESSION under
# TOKEN.
tell_memfd() {
	tell_luo memfd "$3 $4" "$(figure_of "$1" "$2" size) $(figure_of "$1" "$2" pos)" \
		"$(figure_of "$1" "$2" seals) $(sha256_of "$1" "$2")"
}

sha256_of() {
	checksum "$(proc_path "$1" "$2" fd)"
}

# Prints the last call of the test client that it has logged.
last_call() {
	tail -n 1 $TESTS/log
}
