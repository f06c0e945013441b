# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The series as mails: each applies to a plain tree with git am, and the objects
# that it is about build. make steps builds and boots kernels, too.

about="each step of the series applies and builds"
kernels="main"
limit=500

host_test() {
	"$root/host/tree/steps.sh" short
}
