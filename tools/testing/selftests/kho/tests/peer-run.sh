# SPDX-License-Identifier: GPL-2.0-only
#
# The scenario peer with a region of 2 GiB at a border of 2 GiB. In the map it is a
# single part of a run, of an order that no folio has.
#
# shellcheck shell=dash

# shellcheck source=tools/testing/selftests/kho/tests/peer.sh
. "$kho_tests/peer.sh"

about="a run of 2 GiB, handed over by another kernel's KHO, and back"
kernels="peer main"
turns=peer,main,main,peer
words="test_kho_api.run=1 reserve_mem=2G:2147483648:data kho_scratch=128M,512M,256M"
mem=8G
stages=4
plan=34
limit=600
