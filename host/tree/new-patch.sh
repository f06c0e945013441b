#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host/tree/new-patch.sh - append an empty patch to the series
#
#   NAME=foo             becomes patches/foo.patch
#   SUBJECT='mm: ...'    its first line
#
# Owns the shape of a new patch. Changes get into it with 'make refresh
# PATCH=foo.patch FILES=...'; its text is for an editor.

set -euo pipefail
# shellcheck source=host/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=host/tree/overlay.sh
. "$root/host/tree/overlay.sh"

name=${NAME:-}
name=${name%.patch}
[[ $name =~ ^[a-z0-9][a-z0-9._-]*$ ]] || die "NAME= wants a name such as memblock-scratch"
[[ ${SUBJECT:-} == *:\ * ]] || die "SUBJECT= wants a line such as 'mm: do this'"
[[ ! -e $patches/$name.patch ]] || die "patches/$name.patch exists"

mkdir -p "$patches"
cat >"$patches/$name.patch" <<END
From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001
From: "$author" <$email>
Date: $(date -u '+%a, %-d %b %Y %H:%M:%S +0000')
Subject: [PATCH] $SUBJECT

Why first, then what.

Signed-off-by: $author <$email>
END
printf '%s.patch\n' "$name" >>"$patches/series"
say "patches/$name.patch: write its text there, edit files in build/linux, then:
make refresh PATCH=$name.patch FILES='...'"
