# SPDX-License-Identifier: GPL-2.0-only
#
# The same for a machine that was started with the other kernel, whose scratch
# is what both of them live with.
#
# shellcheck shell=dash

# shellcheck source=tools/testing/selftests/kho/tests/peer.sh
. "$kho_tests/peer.sh"

about="handovers from another kernel's KHO, and back"
kernels="peer main"
turns=peer,main,main,peer,peer,main
