# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The story of format-in with all that the format allows and our kernel would
# not write: properties at odd places, blobs of odd sizes that begin within a
# page, empty nodes of the map, a root FDT that is not preserved, the array of
# regions in one of them and another one empty, folios that nobody wants. Taken back before deferred
# initialisation.

about="a handover with everything that the format allows, taken back early"
kernels=main
words=test_kho_early

host_test() {
	# shellcheck source=host/format/host.sh
	. "$root/host/format/host.sh"
	in_and_out edges --untouched
}
