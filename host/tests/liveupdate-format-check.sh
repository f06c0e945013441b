# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host/format/luo_verify.py, which judges what live update hands over, is given sessions with
# one thing wrong, and has to notice it.

about="the program that reads sessions and memfds notices what is wrong"
kernels=

host_test() {
	python3 -B "$root/host/format/luo_verify_test.py"
}
