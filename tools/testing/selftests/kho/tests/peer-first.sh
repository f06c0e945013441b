# SPDX-License-Identifier: GPL-2.0-only
#
# The scenario peer on a machine that boots the other kernel first. That kernel chooses
# the scratch regions which both kernels then use.
#
# shellcheck shell=dash

# shellcheck source=tools/testing/selftests/kho/tests/peer.sh
. "$kho_tests/peer.sh"

about="handovers from another kernel's KHO, and back"
kernels="peer main"
turns=peer,main,main,peer,peer,main
