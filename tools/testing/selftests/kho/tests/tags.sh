# SPDX-License-Identifier: GPL-2.0-only
#
# The story of kasan where KASAN works with tags: the struct page of each page that
# was not allocated with one lets any pointer through, and so must those of what was
# restored, or the first access would be a report.
#
# shellcheck shell=dash

# shellcheck source=tools/testing/selftests/kho/tests/kasan.sh
. "$kho_tests/kasan.sh"

about="files, runs of pages and vmalloc areas under KASAN with tags"
kernels="tags"
machines=arm64
pages=4k
