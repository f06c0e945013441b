# SPDX-License-Identifier: GPL-2.0-only
#
# The scenario kasan where KASAN works with tags. The struct page of a page that was
# allocated without a tag allows access through any pointer. The struct pages of restored
# pages must do the same, or KASAN reports the first access to them.
#
# shellcheck shell=dash

# shellcheck source=tools/testing/selftests/kho/tests/kasan.sh
. "$kho_tests/kasan.sh"

about="files, runs of pages and vmalloc areas under KASAN with tags"
kernels="tags"
machines=arm64
pages=4k
