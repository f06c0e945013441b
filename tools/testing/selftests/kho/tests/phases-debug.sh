# SPDX-License-Identifier: GPL-2.0-only
#
# The scenario phases with a kernel that checks struct pages, locks, lists, the content
# of free pages and accesses to them, and that records the owner of each page. It
# preserves less, because all these checks take time.
#
# shellcheck shell=dash

# shellcheck source=tools/testing/selftests/kho/tests/phases.sh
. "$kho_tests/phases.sh"
about="the phases of boot with page poisoning, page owner and all checks"
kernels="debug"
words="test_kho_count debug_pagealloc=on page_poison=1 page_owner=on"
mem=2G
limit=600
# With page_owner=on Linux 6.12 itself cannot allocate more than a section in one
# piece: it reads past the end of an array.
huge=15
# With more folios, the zones of so small a machine would have all their struct pages
# before there are threads.
joined=""
# With debug_pagealloc=on MemTotal differs by 1 to 2 MiB from boot to boot, also
# without a handover.
margin=4096
