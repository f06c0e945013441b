# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Each mail of the series applies to a tree of Linux with git am, and the objects that
# the series changes or adds compile after it. make steps also builds and boots kernels.

about="each step of the series applies and builds"
kernels="main"
limit=900

host_test() {
	"$root/host/tree/steps.sh" short
}
