# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The same as format-in, with everything that the format allows although our kernel
# does not write it: properties that are not aligned, blobs of odd sizes that begin
# within a page, empty nodes of the map, a root FDT that is not preserved, the array of
# scratch regions inside of one of them, an empty scratch region, and folios that no
# client restores. The clients restore theirs before deferred initialisation.

about="a handover with everything that the format allows, restored early"
kernels=main
words=test_kho_early

host_test() {
	# shellcheck source=host/format/host.sh
	. "$root/host/format/host.sh"
	in_and_out edges --untouched
}
