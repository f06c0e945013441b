# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host/format/verify.py, which judges handovers, is given handovers with one thing wrong in
# each, and has to notice it.

about="the program that reads handovers notices what is wrong"
kernels=

host_test() {
	python3 -B "$root/host/format/verify_test.py"
}
