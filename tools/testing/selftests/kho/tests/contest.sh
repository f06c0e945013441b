# SPDX-License-Identifier: GPL-2.0-only
#
# One thread tries to restore a run of pages of which one was not preserved, which must
# fail. At the same time another thread restores all others, and must get them.
#
# shellcheck shell=dash

about="a restore that fails does not disturb those that succeed"
kernels="main next"
cpus=2
stages=2
plan=6

CONTEST=/sys/kernel/debug/test_kho_contest

stage_1() {
	check "pages can be preserved" eval "echo 1 >$CONTEST"
	remember release "$(uname -r)"
	handover "$(last_kernel)"
}

stage_2() {
	check "there is an incoming handover" came_from "$(recall release)" 1
	check "pages can be restored one by one" eval "echo 1 >$CONTEST"
	note "$(cat $CONTEST)"
	check "each page could be restored" same restored "$(stat_of restored)" 511
	check "another thread tried to restore too many meanwhile" [ "$(stat_of tries)" -gt 0 ]
	check "it never succeeded" same wrong "$(stat_of wrong)" 0
	finish
}

stat_of() {
	sed -n "s/^$1 //p" $CONTEST
}
