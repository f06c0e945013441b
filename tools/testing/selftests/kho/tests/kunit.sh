# SPDX-License-Identifier: GPL-2.0-only
#
# All KUnit suites of KHO, run at boot. Each of their cases is one result here.
#
# shellcheck shell=dash

about="the KUnit suites of KHO"
kernels="main"
words="kunit.enable=1 kunit.filter_glob=kho_*"
expect="KHO: no room in scratch( and memory that holds nothing preserved)? for the next kernel"
stages=1
plan=later

# Cases are indented by four blanks, parameters of a case by more. The plan is the
# sum of the suites' plans, so that a case without a result is missed.
stage_1() {
	local results=/tmp/results verdict name cases

	cat /sys/kernel/debug/kunit/kho_*/results >$results
	cases=$(sed -n 's/^    1\.\.//p' $results | awk '{ n += $1 } END { print n + 0 }')
	ktap_set_plan $((cases + 1))
	check "KUnit suites ran" grep -q '# Subtest: kho_' $results

	awk '/# Subtest: / { suite = $3 }
		/^    (not )?ok [0-9]/ {
			verdict = $1 == "ok" ? "pass" : "fail"
			if (/# SKIP/)
				verdict = "skip"
			sub(/^ *(not )?ok [0-9]+ (- )?/, "")
			print verdict, suite "." $1
		}' $results >/tmp/cases
	while read -r verdict name; do
		"ktap_test_$verdict" "- $name"
	done </tmp/cases
	finish
}
