# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host/checks/lint.sh must have no findings. coccicheck, and shellcheck of the scenarios, only
# run with make lint; sparse for objects that are not in the kernel "main" with make sparse.

about="checkpatch, kernel-doc, shellcheck, codespell, sparse and W=1"
kernels="main"
limit=400

host_test() {
	echo "1..2"
	result "make lint, without coccicheck and shellcheck of the scenarios" "$root/host/checks/lint.sh" quick
	result "make sparse, for the kernel main" "$root/host/checks/lint.sh" sparse quick
}
