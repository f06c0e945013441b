#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host/tree/new-patch.sh - add an empty patch to the series
#
#   NAME=foo             makes patches/foo.patch
#   SUBJECT='mm: ...'    is the subject of its commit message
#
# Owns what a new patch looks like. The patch goes to the end of patches/series,
# but before patches that are marked with tests-only. 'make refresh
# PATCH=foo.patch FILES=...' adds changes to it. Its commit message is written
# with an editor, in the patch itself.

set -euo pipefail
# shellcheck source=host/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=host/tree/overlay.sh
. "$root/host/tree/overlay.sh"

name=${NAME:-}
name=${name%.patch}
[[ $name =~ ^[a-z0-9][a-z0-9._-]*$ ]] || die "NAME= is missing or invalid: it is a name such as memblock-scratch"
[[ ${SUBJECT:-} == *:\ * ]] || die "SUBJECT= is missing or invalid: it is a line such as 'mm: do this'"
[[ ! -e $patches/$name.patch ]] || die "patches/$name.patch exists"

mkdir -p "$patches"
cat >"$patches/$name.patch" <<END
From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001
From: "$author" <$email>
Date: $(date -u '+%a, %-d %b %Y %H:%M:%S +0000')
Subject: [PATCH] $SUBJECT

Why first, then what.
END

touch "$patches/series"
# Patches that are for tests only come last.
awk -v new="$name.patch" '
	/^[^# \t]/ && $2 == "tests-only" && !done++ { print new }
	{ print }
	END { if (!done) print new }' "$patches/series" >"$patches/series.part"
mv "$patches/series.part" "$patches/series"
say "write the commit message in patches/$name.patch, edit files in build/linux, and then:
make refresh PATCH=$name.patch FILES='...'"
