#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# liveupdate_live.sh - tests live update in the running kernel, without a kexec
#
# Calls each ioctl in each way that has to fail. Needs a machine with live update on, on
# which no other process has the device open. Leaves nothing behind.

exec "$(dirname "$0")/luo" errors
