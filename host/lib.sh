# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host/lib.sh - sourced by the other host scripts
#
# Owns what they share: where things are, how messages look, the lock on
# build/, and long commands with their output in a log, progress on the
# terminal and the time they took in build/log/times.

set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$root/build
tree=$build/linux
logs=$build/log

# Variables given to our make are not meant for the kernel's: NAME and C, for
# one, mean something else there.
unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL
unset KBUILD_OUTPUT KCONFIG_CONFIG KCONFIG_ALLCONFIG KBUILD_EXTMOD
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_PREFIX
export LC_ALL=C

# Which machine it is about, and its pages. The kernel's make hears of the
# former from build.sh alone, and tools that run here never.
asked_arch=${ARCH:-$(uname -m)} asked_pages=${PAGES:-}
unset ARCH PAGES CROSS_COMPILE

mkdir -p "$logs"

say() {
	printf '%s\n' "$*"
}

warn() {
	printf 'warning: %s\n' "$*" >&2
}

die() {
	printf 'error: %s\n' "$*" >&2
	exit 1
}

# ------------------------------------------------------------------- machines

# A machine is what the first fragment of a kernel in host/build/config/kernels says:
# x86 or arm64. Kernels that are for the same part in a story have names that
# differ in front only: "next" is for x86, "arm64-next" is for arm64, and
# "arm64-64k-next" for arm64 with pages of 64 KiB. The part "main" has no word.

# The one of the host, whatever kernels are for.
host_machine() {
	case $(uname -m) in
	aarch64) echo arm64 ;;
	*) echo x86 ;;
	esac
}

# What ARCH= and PAGES= ask for: the front of names of kernels, "" for x86.
asked_family() {
	local pages=${asked_pages,,}
	case ${pages%ib} in
	'' | 4k) pages='' ;;
	16k | 64k) pages=-${pages%ib} ;;
	*) die "PAGES=$asked_pages: there are pages of 4k, 16k and 64k" ;;
	esac
	case $asked_arch in
	x86 | x86_64)
		[[ -z $pages ]] || die "PAGES=$asked_pages: x86 has pages of 4k only"
		;;
	arm64 | aarch64) echo "arm64$pages" ;;
	*) die "ARCH=$asked_arch: there are x86 and arm64" ;;
	esac
}

# pages_of FAMILY: 4k, 16k or 64k
pages_of() {
	case $1 in
	*-16k) echo 16k ;;
	*-64k) echo 64k ;;
	*) echo 4k ;;
	esac
}

# 2G or 512M to a number of MiB.
mebibytes() {
	case $1 in
	*[!0-9]*[!0-9] | [!0-9]*) die "odd memory size '$1'" ;;
	*G) echo $((${1%G} * 1024)) ;;
	*M) echo "${1%M}" ;;
	*) die "odd memory size '$1'" ;;
	esac
}

# with_scratch MIB REGIONS FAMILY: for a guest that has enough with MIB, if pages are
# of 4 KiB. Scratch is made of blocks of 32 MiB with pages of 16 KiB, and of 512 MiB
# with pages of 64 KiB, which at most half of memory can be; and with these each node
# has whole blocks, or there are hardly any.
with_scratch() {
	case $(pages_of "$3") in
	4k) echo "$1" ;;
	16k) echo $(($1 + $2 * 64)) ;;
	64k) echo $((($1 + $2 * 1024 + 2047) / 2048 * 2048)) ;;
	esac
}

# in_family FAMILY PART: the name of a kernel
in_family() {
	case $1,$2 in
	,*) echo "$2" ;;
	*,main) echo "$1" ;;
	*) echo "$1-$2" ;;
	esac
}

# fragments_of KERNEL
fragments_of() {
	awk -v name="$1" '$1 == name { $1 = $2 = $3 = ""; print; found = 1 }
		END { exit !found }' "$root/host/build/config/kernels"
}

# machine_of KERNEL
machine_of() {
	local fragments
	fragments=$(fragments_of "$1") || die "no kernel '$1' in host/build/config/kernels"
	read -r fragments _ <<<"$fragments"
	echo "$fragments"
}

# image_in MACHINE: what boots, in a folder that a kernel was built in
image_in() {
	case $1 in
	x86) echo arch/x86/boot/bzImage ;;
	arm64) echo arch/arm64/boot/Image ;;
	*) die "no machine '$1'" ;;
	esac
}

# image_of KERNEL
image_of() {
	echo "$build/kernel/$1/$(image_in "$(machine_of "$1")")"
}

# kernel_make_words MACHINE: what the kernel's make wants to know of it
kernel_make_words() {
	case $1 in
	x86) echo ARCH=x86_64 ;;
	arm64)
		echo ARCH=arm64
		[[ $(host_machine) == arm64 ]] || echo CROSS_COMPILE=aarch64-linux-gnu-
		;;
	esac
}

# ----------------------------------------------------------------------- work

# One script at a time changes what is in build/.
lock() {
	exec 9>"$build/lock"
	flock -n 9 && return
	say "waiting for another make in $build"
	flock 9
}

# A path to show: relative to the repository when it lies there.
shown() {
	printf '%s' "${1#"$root"/}"
}

duration() {
	if (($1 < 60)); then
		printf '%d s' "$1"
	else
		printf '%d min %02d s' $(($1 / 60)) $(($1 % 60))
	fi
}

# progress TITLE SECONDS LOG COUNT: one line on how far a command is.
progress() {
	local objects
	printf '%s: ' "$1"
	if [[ -n $4 ]]; then
		objects=$(grep -cE '^  (CC|AS|HOSTCC) ' "$3") || true
		printf '%d' "$objects"
		((objects >= $4)) || printf ' of about %d' "$4"
		printf ' objects, '
	fi
	duration "$2"
}

# Shows progress until killed: one line that changes on a terminal, elsewhere
# a line now and then. Nothing for what is over at once.
ticker() {
	local start=$SECONDS s

	while sleep 1 9>&- >/dev/null && kill -0 $$ 2>/dev/null; do
		s=$((SECONDS - start))
		if [[ -t 1 ]]; then
			printf '\r\033[K%s' "$(progress "$1" $s "$2" "$3")"
		elif ((s % 20 == 0)); then
			progress "$1" $s "$2" "$3"
			echo
		fi
	done
}

# run_logged TITLE LOG [--count N] COMMAND...: runs COMMAND with its output in
# LOG. With --count its progress is in objects compiled, of about N (0: of
# nobody knows how many). Says how long it took, unless that was no time.
run_logged() {
	local title=$1 log=$2 count='' start=$SECONDS status=0 pid took
	shift 2
	if [[ $1 == --count ]]; then
		count=$2
		shift 2
	fi

	: >"$log"
	ticker "$title" "$log" "$count" &
	pid=$!
	"$@" >"$log" 2>&1 </dev/null || status=$?
	kill "$pid" 2>/dev/null || true
	wait "$pid" 2>/dev/null || true
	[[ ! -t 1 ]] || printf '\r\033[K'

	took=$((SECONDS - start))
	printf '%s\t%d\n' "$title" "$took" >>"$logs/times"
	if ((status == 0 && took > 1)); then
		progress "$title" "$took" "$log" "${count:+0}"
		echo
	fi
	return "$status"
}

# die_log MESSAGE LOG: the error, what the log says about it, where the log is.
die_log() {
	{
		printf 'error: %s\n' "$1"
		grep -E '(^|: )(fatal )?error: |: Error: |undefined reference|^E: ' "$2" | head -10 || true
		printf -- '--- the end of %s:\n' "$2"
		tail -15 "$2"
	} | sed "s|$root/||g" >&2
	exit 1
}

# apt_apart DIR ARGUMENT...: apt-get with a state of its own below DIR, for what is
# no business of this machine's apt. Not _apt's: what it cannot read it only warns of.
apt_apart() {
	local dir=$1
	shift
	mkdir -p "$dir"/{state/lists/partial,cache/archives/partial}
	: >"$dir/state/status"
	apt-get -q -o Dir::State="$dir/state" -o Dir::State::status="$dir/state/status" \
		-o Dir::Cache="$dir/cache" -o APT::Update::Post-Invoke= -o APT::Sandbox::User=root "$@"
}

# copy_tools TO TOOL...: the kernel's tools/testing/TOOL, which make links and
# objects where they are built, with links to all of the tree that they include
# by relative paths
copy_tools() {
	local file to=$1
	shift

	mkdir -p "$to/tools/testing"
	for file; do
		cp -RL "$tree/tools/testing/$file" "$to/tools/testing"
	done
	for file in arch include kernel lib mm scripts tools/arch tools/include tools/lib tools/testing/selftests; do
		ln -s "$tree/$file" "$to/$file"
	done
}
