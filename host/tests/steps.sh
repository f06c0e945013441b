# shellcheck shell=bash disable=SC2034,SC2154
# SPDX-License-Identifier: GPL-2.0-only
#
# The series as mails: each applies to a plain tree with git am, and makes a
# small kernel that links. make steps does more of it.

about="each step of the series applies and builds"
kernels="main"
limit=500

host_test() {
	"$root/host/steps.sh" short
}
