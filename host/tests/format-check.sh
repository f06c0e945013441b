# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The program that judges handovers is given some with one thing wrong.

about="the program that reads handovers notices what is wrong"
kernels=

host_test() {
	python3 -B "$root/host/format/verify_test.py"
}
