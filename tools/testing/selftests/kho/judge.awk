# SPDX-License-Identifier: GPL-2.0-only
#
# judge.awk - reads the serial log of one scenario and counts its results
#
#   awk -v stages=N -v expect=REGEX -f judge.awk LOG
#
# Owns the rules that decide whether a scenario passed. Each result counts as it
# is. Each result that is planned and missing counts as failed. When no result
# failed but something else is wrong (no end marker, a stage twice, a kernel
# warning, totals that differ), one failed result is added. So a log never passes
# because something is missing from it.
#
# Prints "PASSED FAILED SKIPPED" and then one line for each reason. The log has the
# format of host/vm/vm.sh: the host's time, then "[kernel time] text". Kernel messages
# count everywhere. KTAP counts only from a stage marker to the end of that stage,
# because KUnit prints KTAP, too. "expect" matches kernel messages that the scenario
# causes on purpose, and that would otherwise make it fail.

BEGIN {
	bad = "BUG:|WARNING:|Oops|Bad page|KASAN|UBSAN|KCSAN" \
	      "|possible (recursive|circular|deadlock|irq lock)" \
	      "|INFO: (task|possible|rcu|trying)|suspicious RCU|rcu: .*stall" \
	      "|page allocation failure|refcount|suspected memory leaks" \
	      "|Kernel panic|general protection|Call Trace|Internal error:|unpacking failed" \
	      "|KHO:.*([Rr]efus|[Cc]orrupt|[Ff]ail|[Cc]annot|[Mm]alformed|KHO is off)" \
	      "|KHO:.*(nothing to restore|no room|no memory|no valid)" \
	      "|test_kho:.*(wrong|damaged|cannot|no memory)" \
	      "|(LUO|memfd-luo|hugetlb-luo):.*(broken|cannot|corrupt|lost|poisoned|twice|invalid)" \
	      "|(LUO|memfd-luo|hugetlb-luo):.*(no (handler|valid|memory)|kexec refused)"
	plan = -1
}

{
	sub(/^ *[0-9]+\.[0-9]+ /, "")
	is_kernel = sub(/^\[ *[0-9]+\.[0-9]+\] /, "")
}

/^vm: / {
	ended = 1
	if ($0 != "vm: ended by itself")
		wrong(substr($0, 5))
	next
}

/^kho-test: stage / {
	if ($3 != ++stage)
		wrong("stage " $3 " ran instead of stage " stage)
	within = 1
	next
}

/^kho-test: (leave|end)/ {
	if (!within)
		wrong("outside of a stage: " $0)
	within = 0
	over = ($2 == "end")
	next
}

is_kernel && !/^# / && $0 ~ bad && !(expect != "" && $0 ~ expect) {
	if (kernel_complaints++ < 5)
		wrong("kernel: " $0)
}

!within { next }

/^Bail out!/ {
	wrong($0)
	next
}

/^KTAP version/ {
	if (headers++)
		wrong("a second KTAP header")
	next
}

/^1\.\.[0-9]+$/ {
	if (plan >= 0)
		wrong("a second plan")
	plan = substr($0, 4) + 0
	next
}

/^(not )?ok [0-9]+/ {
	number = ($1 == "ok") ? $2 : $3
	if (number != ++seen)
		wrong("result " number " came instead of result " seen)
	if ($1 == "not") {
		failed++
		reason[++reasons] = $0
		why = 3
	} else if (/# SKIP/) {
		skipped++
	} else {
		passed++
	}
	next
}

# The first lines of a failed check's reason.
/^# / && !/^# Totals:/ {
	if (why-- > 0)
		reason[++reasons] = "  " $0
	next
}

/^# Totals:/ {
	totals = $0
}

function wrong(what) {
	wrongs++
	reason[++reasons] = what
}

END {
	if (!stage)
		wrong("no stage ran")
	else if (stage != stages)
		wrong("ended in stage " stage " of " stages)
	if (!over)
		wrong("no end marker")
	if (!ended)
		wrong("the log ends without a line of the virtual machine")
	if (stage && !headers)
		wrong("no KTAP header")
	if (stage && plan < 0)
		wrong("no plan")
	if (plan == 0)
		wrong("the plan has no results")
	if (plan >= 0 && seen > plan)
		wrong(seen " results, " plan " planned")
	if (plan > seen) {
		wrong(seen + 0 " results, " plan " planned")
		failed += plan - seen
	}
	counts = "pass:" (passed + 0) " fail:" (failed + 0) " .*skip:" (skipped + 0) " "
	if (over && totals !~ counts)
		wrong("the guest counted differently: " totals)
	if (wrongs && !failed)
		failed = 1

	print passed + 0, failed + 0, skipped + 0
	for (i = 1; i <= reasons; i++)
		print reason[i]
}
