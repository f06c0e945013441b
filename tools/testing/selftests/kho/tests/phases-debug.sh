# SPDX-License-Identifier: GPL-2.0-only
#
# The story of phases where the kernel checks struct pages, locks, lists, the
# content of free pages and who accesses them, and knows the owner of each page.
# Smaller, for all that takes its time.
#
# shellcheck shell=dash

# shellcheck source=tools/testing/selftests/kho/tests/phases.sh
. "$kho_tests/phases.sh"
about="the phases of boot with page poisoning, page owner and all checks"
kernels="debug"
words="test_kho_count debug_pagealloc=on page_poison=1 page_owner=on"
mem=2G
limit=600
# With page_owner=on Linux 6.12 itself cannot allocate what is larger than a
# section: it steps over the end of an array.
huge=15
# With more kept, zones grow over all of so small a machine before there are threads.
joined=""
# With debug_pagealloc=on MemTotal differs by 1 to 2 MiB from boot to boot, also
# without a handover.
margin=4096
