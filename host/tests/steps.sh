# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Each mail of the series applies to a tree of Linux with git am, and the objects that
# the series changes or adds compile after the last one. make steps builds and boots
# kernels after each of them.

about="the series applies mail by mail, and its objects compile"
kernels="main"
limit=900

host_test() {
	FROM=last "$root/host/tree/steps.sh" short
}
