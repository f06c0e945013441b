# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host/lib.sh - sourced by the other host scripts
#
# Owns what they share: paths, the form of messages, the names of machines and
# kernels, and the lock on build/. It runs long commands with their output in a log
# and progress on the terminal, and writes the time they took to build/log/times.

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

# The machine that the caller asks for, and the size of its pages. The kernel's make
# is told the machine by kernel_make_words only, and tools that run on the host must
# not see it at all.
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

# The machine of a kernel is its first fragment in host/build/config/kernels: x86 or
# arm64. Kernels that have the same part in a test differ only in the front of their
# names, which is called the family: "next" is for x86, "arm64-next" is for arm64,
# and "arm64-64k-next" is for arm64 with pages of 64 KiB. The kernel of the part
# "main" has the name of the family, or "main" on x86.

# Prints the machine of the host, x86 or arm64.
host_machine() {
	case $(uname -m) in
	aarch64) echo arm64 ;;
	*) echo x86 ;;
	esac
}

# Prints the family that ARCH= and PAGES= ask for; "" for x86.
asked_family() {
	local pages=${asked_pages,,}
	case ${pages%ib} in
	'' | 4k) pages='' ;;
	16k | 64k) pages=-${pages%ib} ;;
	*) die "PAGES=$asked_pages is invalid: it is one of 4k, 16k and 64k" ;;
	esac
	case $asked_arch in
	x86 | x86_64)
		[[ -z $pages ]] || die "PAGES=$asked_pages is invalid: x86 has pages of 4k only"
		;;
	arm64 | aarch64) echo "arm64$pages" ;;
	*) die "ARCH=$asked_arch is invalid: it is x86 or arm64" ;;
	esac
}

# pages_of FAMILY: prints the size of its pages, 4k, 16k or 64k
pages_of() {
	case $1 in
	*-16k) echo 16k ;;
	*-64k) echo 64k ;;
	*) echo 4k ;;
	esac
}

# mebibytes SIZE: prints 2G or 512M as a number of MiB
mebibytes() {
	case $1 in
	*[!0-9]*[!0-9] | [!0-9]*) die "odd memory size '$1'" ;;
	*G) echo $((${1%G} * 1024)) ;;
	*M) echo "${1%M}" ;;
	*) die "odd memory size '$1'" ;;
	esac
}

# with_scratch MIB REGIONS FAMILY: prints how many MiB of memory a guest needs if its test
# needs MIB with pages of 4 KiB, and its scratch has REGIONS regions. A region of scratch
# is a multiple of a page block: 32 MiB with pages of 16 KiB, and 512 MiB with pages of
# 64 KiB. Scratch must not be more than half of memory. With 64 KiB the size is a multiple
# of 2 GiB, so that each NUMA node has whole page blocks.
with_scratch() {
	case $(pages_of "$3") in
	4k) echo "$1" ;;
	16k) echo $(($1 + $2 * 64)) ;;
	64k) echo $((($1 + $2 * 1024 + 2047) / 2048 * 2048)) ;;
	esac
}

# in_family FAMILY PART: prints the name of the kernel that has this part in a test
in_family() {
	case $1,$2 in
	,*) echo "$2" ;;
	*,main) echo "$1" ;;
	*) echo "$1-$2" ;;
	esac
}

# fragments_of KERNEL: prints its fragments in host/build/config/kernels
fragments_of() {
	awk -v name="$1" '$1 == name { $1 = $2 = $3 = ""; print; found = 1 }
		END { exit !found }' "$root/host/build/config/kernels"
}

# machine_of KERNEL: prints x86 or arm64
machine_of() {
	local fragments
	fragments=$(fragments_of "$1") || die "there is no kernel '$1' in host/build/config/kernels"
	read -r fragments _ <<<"$fragments"
	echo "$fragments"
}

# image_in MACHINE: prints the path of the boot image in the output directory of a
# kernel
image_in() {
	case $1 in
	x86) echo arch/x86/boot/bzImage ;;
	arm64) echo arch/arm64/boot/Image ;;
	*) die "there is no machine '$1'" ;;
	esac
}

# image_of KERNEL: prints the path of its boot image
image_of() {
	echo "$build/kernel/$1/$(image_in "$(machine_of "$1")")"
}

# kernel_make_words MACHINE: prints what the kernel's make must be told about it
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

# Waits until no other script changes anything in build/, and keeps others from it
# until this script ends.
lock() {
	exec 9>"$build/lock"
	flock -n 9 && return
	say "waiting for another make, which has the lock $build/lock"
	flock 9
}

# shown PATH: prints it for a message, relative to the repository if it is in there
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

# progress TITLE SECONDS LOG COUNT: prints one line that says how far a command is.
# With a COUNT it says how many objects were compiled according to LOG, and, if fewer
# than COUNT, of how many.
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

# ticker TITLE LOG COUNT: shows progress until it is killed. On a terminal this is
# one line that changes; elsewhere it is a line every 20 seconds.
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

# run_logged TITLE LOG [--count N] COMMAND...: runs COMMAND with its output in LOG.
# With --count the progress is the number of objects that were compiled, of about N,
# or of an unknown number if N is 0. Says how long COMMAND took, if it took more than
# a second. Returns its exit status.
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

# die_log MESSAGE LOG: prints the error, the lines of LOG that look like errors and
# its last lines, and exits.
die_log() {
	{
		printf 'error: %s\n' "$1"
		grep -E '(^|: )(fatal )?error: |: Error: |undefined reference|^E: ' "$2" | head -10 || true
		printf -- '--- the end of %s:\n' "$2"
		tail -15 "$2"
	} | sed "s|$root/||g" >&2
	exit 1
}

# apt_apart DIR ARGUMENT...: runs apt-get with its state and cache below DIR, so that
# the host's apt learns nothing of other suites or architectures. It runs as root and
# not as the user _apt, who may have no access to DIR.
apt_apart() {
	local dir=$1
	shift
	mkdir -p "$dir"/{state/lists/partial,cache/archives/partial}
	: >"$dir/state/status"
	apt-get -q -o Dir::State="$dir/state" -o Dir::State::status="$dir/state/status" \
		-o Dir::Cache="$dir/cache" -o APT::Update::Post-Invoke= -o APT::Sandbox::User=root "$@"
}

# copy_tools TO TOOL...: copies tools/testing/TOOL of build/linux to TO/tools/testing,
# since building them leaves links and objects beside their sources. TO gets links to
# the folders of build/linux that they include files from by relative paths.
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
