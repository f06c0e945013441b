# SPDX-License-Identifier: GPL-2.0-only
#
# The scenario peer without a peer, with a region of 2 GiB at a border of 2 GiB. In the map
# it is a single part of a run, of order 19, which no folio has.
#
# shellcheck shell=dash

# shellcheck source=tools/testing/selftests/kho/tests/peer.sh
. "$kho_tests/peer.sh"

about="a run of 2 GiB, handed over in one part"
when=always
kernels="main next"
turns=main,next
words="test_kho_api.run=1 reserve_mem=2G:2147483648:data"
mem=8G
stages=2
plan=13

stage_1() {
	check "the map has the region as one part" grep -qx "19 1" $KHO_SYS/preserved
	first_stage
}
