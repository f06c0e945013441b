# SPDX-License-Identifier: GPL-2.0-only
#
# The scenario liveupdate-errors on the kernel that has a live update of its own: programs
# get the same errors from both.
#
# shellcheck shell=dash

# shellcheck source=tools/testing/selftests/kho/tests/liveupdate-errors.sh
. "$kho_tests/liveupdate-errors.sh"

about="each documented error, by another kernel's live update"
when=asked
machines=x86
pages=4k
kernels=peer

# The peer does not count folios that wait.
nothing_waits() {
	usable 90
}
