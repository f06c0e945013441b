#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# judge_test.sh - tests that judge.awk notices what can be wrong with a log
#
# Has one good log of two stages, and changes it in each way in which a log can
# be wrong. Runs on the host, without a virtual machine.

here=$(dirname "$0")

good='[    0.000000] Linux version 6.12
[    0.100000] KTAP version 1
[    0.110000]     ok 1 a_kunit_case
[    0.120000] not ok 1 a_kunit_suite
[    1.000000] kho-test: stage 1 of example on 6.12
[    1.000001] KTAP version 1
[    1.000002] 1..3
[    1.000003] ok 1 - first
[    1.000004] kho-test: leave
[    0.000000] Linux version 6.12
[    1.100000] kho-test: stage 2 of example on 6.12
[    1.200000] ok 2 - second
[    1.300000] ok 3 - third
[    1.400000] # Totals: pass:3 fail:0 xfail:0 xpass:0 skip:0 error:0
[    1.500000] kho-test: end of example
vm: ended by itself'

# verdict EXPECTED WHAT [SED-SCRIPT [EXPECT]]: judges the good log, changed by the
# script.
number=0
failed=0
verdict() {
	number=$((number + 1))
	got=$(echo "$good" | sed "${3-}" | sed 's/^/   1.234567 /' |
		awk -v stages=2 -v expect="${4-}" -f "$here/judge.awk" | head -n 1)
	if [ "$got" = "$1" ]; then
		echo "ok $number - $2"
	else
		failed=$((failed + 1))
		echo "not ok $number - $2"
		echo "# verdict '$got', should be '$1'"
	fi
}

after_second='/second/a [    1.250000]'

echo "KTAP version 1"
echo "1..21"
verdict "3 0 0" "a good log passes"
verdict "2 1 0" "a failed result counts" \
	's/ok 2 - second/not &/; s/pass:3 fail:0/pass:2 fail:1/'
verdict "2 0 1" "a skipped result does not count as passed" \
	's/- third/& # SKIP/; s/pass:3/pass:2/; s/skip:0/skip:1/'
verdict "2 1 0" "a missing result is noticed" \
	'/ok 2/d; s/pass:3/pass:2/'
verdict "2 1 0" "a missing last result is noticed" \
	'/ok 3/d; s/pass:3/pass:2/'
verdict "4 1 0" "a result that comes twice is noticed" \
	'/ok 2/p'
verdict "3 1 0" "a missing end marker is noticed" \
	'/end of example/d'
verdict "1 2 0" "a missing second stage is noticed" \
	'/stage 2/,/end of/d'
verdict "3 1 0" "a stage that ran twice is noticed" \
	'/stage 1/{h;}; /stage 2/{x;p;x;}'
verdict "3 1 0" "a missing plan is noticed" \
	'/1\.\.3/d'
verdict "0 1 0" "a plan without results is noticed" \
	's/1\.\.3/1..0/; / ok [123]/d; s/pass:3/pass:0/'
verdict "3 1 0" "a guest that counts wrongly is noticed" \
	's/pass:3/pass:4/'
verdict "3 1 0" "a bail-out is noticed" \
	"$after_second Bail out! no more"
verdict "3 1 0" "a bad kernel message is noticed" \
	"$after_second BUG: Bad page state in process init"
verdict "3 1 0" "a bad message of live update is noticed" \
	"$after_second LUO: session x: the list of files at 0x1000 is broken"
verdict "3 1 0" "a bad kernel message before the first stage is noticed" \
	'/Linux version/a [    0.050000] WARNING: CPU: 0 PID: 1 at mm/page_alloc.c'
verdict "3 1 0" "a panic is noticed" \
	"$after_second Kernel panic - not syncing: Attempted to kill init"
verdict "3 1 0" "a time-out is noticed" \
	's/ended by itself/stopped at the time limit of 60 s/'
verdict "3 1 0" "a log that ends early is noticed" \
	'/vm:/d'
verdict "0 1 0" "an empty log is noticed" \
	d
verdict "3 0 0" "an expected kernel message is fine" \
	"$after_second KHO: handover refused: odd address" 'KHO: .*refused'

echo "# Totals: pass:$((number - failed)) fail:$failed xfail:0 xpass:0 skip:0 error:0"
[ "$failed" -eq 0 ]
