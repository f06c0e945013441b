# SPDX-License-Identifier: GPL-2.0-only
#
# lib.sh - everything that scenarios are written with
#
# Sources the files in lib/, each of which owns one subject. Runs in the
# guest's busybox shell; kho_live.sh sources it on any machine and says in
# kho_lib where this file is.
#
# lib/orders.sh is not among them: scenarios source it in their heads, which
# the host reads without this file.
#
# shellcheck shell=dash

kho_lib=${kho_lib:-/kho}

# shellcheck source=tools/testing/selftests/kho/lib/results.sh
. "$kho_lib/lib/results.sh"
# shellcheck source=tools/testing/selftests/kho/lib/stages.sh
. "$kho_lib/lib/stages.sh"
# shellcheck source=tools/testing/selftests/kho/lib/kernel.sh
. "$kho_lib/lib/kernel.sh"
# shellcheck source=tools/testing/selftests/kho/lib/memory.sh
. "$kho_lib/lib/memory.sh"
# shellcheck source=tools/testing/selftests/kho/lib/kho.sh
. "$kho_lib/lib/kho.sh"
# shellcheck source=tools/testing/selftests/kho/lib/scratch.sh
. "$kho_lib/lib/scratch.sh"
# shellcheck source=tools/testing/selftests/kho/lib/sysfs.sh
. "$kho_lib/lib/sysfs.sh"
# shellcheck source=tools/testing/selftests/kho/lib/files.sh
. "$kho_lib/lib/files.sh"
# shellcheck source=tools/testing/selftests/kho/lib/folios.sh
. "$kho_lib/lib/folios.sh"
# shellcheck source=tools/testing/selftests/kho/lib/areas.sh
. "$kho_lib/lib/areas.sh"
# shellcheck source=tools/testing/selftests/kho/lib/liveupdate.sh
. "$kho_lib/lib/liveupdate.sh"
# shellcheck source=tools/testing/selftests/kho/lib/vm.sh
. "$kho_lib/lib/vm.sh"
