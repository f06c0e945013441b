# SPDX-License-Identifier: GPL-2.0-only
#
# lib/liveupdate.sh - sessions and files of live update
#
# Owns agents, which are processes that keep sessions and files, and what other processes
# can find out about these. ../liveupdate/ has the program: its files sessions.c, files.c,
# hugetlb.c, scale.c and faults.c end with the commands of an agent.
#
# shellcheck shell=dash

readonly LUO_DEVICE=/dev/liveupdate

# The words on the command line of each kernel of such a scenario.
# shellcheck disable=SC2034
readonly LUO_ON=liveupdate=on

# start_agent NAME: what the agent prints beside its answers goes to the log. Otherwise
# check(), which reads the output of a command, would wait for the agent to end.
start_agent() {
	luo serve "/tmp/$1" >/dev/kmsg 2>&1 &
	echo $! >"/tmp/$1.pid"
}

agent_pid() {
	cat "/tmp/$1.pid"
}

# ask NAME COMMAND...: prints the answer. Fails with the name of the error.
ask() {
	local who="$1"
	shift
	luo ask "/tmp/$who" "$@"
}

# refused ERROR COMMAND...: the command fails, and ERROR is all that it prints.
refused() {
	local error="$1" said
	shift
	! said=$("$@" 2>&1) || { echo "it worked: $said"; return 1; }
	same error "$said" "$error"
}

# says ANSWER COMMAND...: the command works, and prints ANSWER.
says() {
	local answer="$1" said
	shift
	said=$("$@" 2>&1) || { echo "$said"; return 1; }
	same answer "$said" "$answer"
}

# Each of the following functions takes an agent and the label of one of its files.

# proc_path AGENT FILE fd|fdinfo: prints the path of the file below /proc.
proc_path() {
	ask "$1" where "$2" | sed "s|\(.*\) \(.*\)|/proc/\1/$3/\2|"
}

link_of() {
	readlink "$(proc_path "$1" "$2" fd)"
}

checksum_of() {
	md5sum <"$(proc_path "$1" "$2" fd)" | cut -d ' ' -f 1
}

# figure_of AGENT FILE KEY: prints size, blocks, pos, seals, mode, links or access.
figure_of() {
	ask "$1" stat "$2" | tr ' ' '\n' | sed -n "s/^$3=//p"
}

# share AGENT FILE OTHER: the other agent gets the same open file, with the same label.
share() {
	# shellcheck disable=SC2046 # words
	ask "$3" import "$2" $(ask "$1" where "$2")
}

# all AGENT LINES: asks for one line after another, as long as nothing fails.
all() {
	local who="$1" line
	echo "$2" | sed 's/^[[:blank:]]*//; /^$/d' | while read -r line; do
		# shellcheck disable=SC2086 # words
		ask "$who" $line || { echo "$line"; exit 1; }
	done
}

# tap COMMAND...: each result of a program that prints TAP becomes one of ours.
tap() {
	local line
	"$@" >/tmp/tap
	while read -r line; do
		case $line in
		"ok "*) ktap_test_pass "- ${line#ok * - }" ;;
		"not ok "*) ktap_test_fail "- ${line#not ok * - }" ;;
		"1.."*) ;;
		*) note "${line#\# }" ;;
		esac
	done </tmp/tap
}

# nothing_came_in AGENT NAME: the device exists, and no incoming session has this name.
nothing_came_in() {
	[ -c "$LUO_DEVICE" ] || { echo "there is no $LUO_DEVICE"; return 1; }
	refused ENOENT ask "$1" retrieve nothing "$2"
}

# No folio that the previous kernel handed over still waits.
nothing_waits() {
	same "unclaimed folios" "$(kho_stat in unclaimed_folios)" 0
}

# proportional "first=US last=US": the last calls took at most twice as long as the first
# ones. If each call searched a list of the earlier ones, the last calls would take ten
# times as long, or more.
proportional() {
	local first last
	first=${1#first=} first=${first%% *} last=${1##*last=}

	[ "${first:-0}" -gt 0 ] || { echo "no figures in '$1'"; return 1; }
	[ "$last" -le $((2 * first)) ] || { echo "it takes longer and longer: $1"; return 1; }
}

# later TRIES COMMAND...: the command works within that many tenths of a second.
later() {
	local tries="$1" said
	shift
	while ! said=$("$@" 2>&1); do
		[ $((tries -= 1)) -gt 0 ] || { echo "$said"; return 1; }
		sleep 0.1
	done
}

# together COMMAND...: all of them run at the same time, and all of them work.
together() {
	local command n=0 pid pids='' status=0

	for command; do
		n=$((n + 1))
		(eval "$command") >"/tmp/together.$n" 2>&1 &
		pids="$pids $!"
	done
	n=0
	for pid in $pids; do
		n=$((n + 1))
		wait "$pid" || { status=1; echo "command $n:"; cat "/tmp/together.$n"; }
	done

	return $status
}

# rounds AGENT COUNT COMMANDS: asks for the same COUNT times, as long as it works.
rounds() {
	local i=0

	while [ $((i += 1)) -le "$2" ]; do
		ask "$1" "$3" || { echo "in round $i"; return 1; }
	done
}

# has_ended AGENT COMMAND...: the command fails because the agent ends meanwhile.
has_ended() {
	local who="$1" said
	shift

	! said=$("$@" 2>&1) || { echo "it worked: $said"; return 1; }
	later 50 is_gone "$(agent_pid "$who")" || { echo "it lives: $said"; return 1; }
}

# is_gone PID: the agent has ended. The shell does not wait for it, so it is a zombie then.
is_gone() {
	! grep -q . "/proc/$1/cmdline"
}

# killed AGENT COMMANDS [SECONDS]: the agent runs COMMANDS over and over, and gets SIGKILL
# after SECONDS, which is 1 if it is missing.
killed() {
	(sleep "${3:-1}"; kill -9 "$(agent_pid "$1")") &
	has_ended "$1" rounds "$1" 100000 "$2"
}
