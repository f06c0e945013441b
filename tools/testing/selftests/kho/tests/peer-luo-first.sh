# SPDX-License-Identifier: GPL-2.0-only
#
# The scenario peer-luo on a machine that boots the other kernel first.
#
# shellcheck shell=dash

# shellcheck source=tools/testing/selftests/kho/tests/peer-luo.sh
. "$kho_tests/peer-luo.sh"

about="live update from another kernel's, and back, with files of all kinds"
kernels="peer main"
turns=peer,main,main,peer,peer,main
