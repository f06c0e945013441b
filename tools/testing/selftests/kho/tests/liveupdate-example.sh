# SPDX-License-Identifier: GPL-2.0-only
#
# The example of Documentation/userspace-api/liveupdate.rst: a service that counts how
# often it was started, in memory that outlives the kernel.
#
# shellcheck shell=dash

about="the example of the documentation"
kernels="main next"
words="liveupdate=on"
stages=3
plan=5

stage_1() {
	run_example
	check "it begins" later 100 said 1
	handover next $LUO_ON
}

stage_2() {
	run_example
	check "it continues under the next kernel" later 100 said 2
	check "nothing waits any more" nothing_waits
	handover main $LUO_ON
}

stage_3() {
	run_example
	check "it continues under the third kernel" later 100 said 3
	check "the device is free for others" eval ": <$LUO_DEVICE"
	finish
}

run_example() {
	example >/tmp/example 2>&1 &
}

said() {
	same "what the example says" "$(cat /tmp/example)" "start $1"
}
