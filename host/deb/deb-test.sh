#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host/deb/deb-test.sh - test our packages in a Debian system on a virtual disk
#
#   SUITE=trixie    makes the system from this release of Debian, and not the host's
#
# Owns build/deb/disk: a system made by mmdebstrap, in which dpkg installs the package
# "small" of host/deb/deb.sh and kho-tools. The system boots, keeps a file in preserved
# memory, and runs a service under luo-run, which stores memory. It loads the next kernel
# with kexec-tools and starts it with systemctl kexec. There the file is compared, and the
# service has its memory again. The report is TAP.

set -euo pipefail
# shellcheck source=host/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
cd "$root"

readonly out=$build/deb/disk
readonly small=$build/deb/small

# Prints the program that the guest runs when it is up, in both kernels.
story() {
	cat <<'END'
#!/bin/sh
# Stage 1 keeps a file; stage 2 prints its checksum.
client=/sys/kernel/debug/test_kho
say() { echo "kho-deb: $*" >/dev/console; }

# What the service and luo-run have said in this boot.
service() {
	journalctl -q -b -o cat -u cached.service -u luo-keep@cached.service |
		while read -r line; do say "$1: $line"; done
}

say "$(uname -r) is $(systemctl is-system-running)"
if ! [ -d /sys/kernel/debug/kho/in ]; then
	say "package $(dpkg-query -W -f '${Package} ${Status}' "linux-image-$(uname -r)")"
	echo letter >$client/create
	cat /usr/bin/dpkg >$client/files/letter
	say "sum $(sha256sum <$client/files/letter)"
	systemctl restart cached
	service first
	say "spared: $(systemctl show -P SurviveFinalKillSignal luo-keep@cached)," \
		"$(systemctl --version | head -1)"
	kexec -s -l "/boot/vmlinuz-$(uname -r)" --reuse-cmdline || say "not loaded"
	exec systemctl kexec
fi
say "arrived $(sha256sum <$client/files/letter)"
dmesg | grep 'KHO: handover' | sed 's/.*KHO/KHO/' | while read -r line; do say "$line"; done
service second
say "sessions $(grep -c '^session:' /sys/kernel/debug/liveupdate/outgoing)"
exec systemctl poweroff
END
}

# Prints the service: it stores a memfd when it has none, and a pipe.
cached() {
	cat <<'END'
#!/bin/sh
if [ -n "$LISTEN_FDS" ]; then
	exec fdstore show notify READY=1 wait
fi
exec fdstore show memfd cache warm pipe log barrier notify READY=1 wait
END
}

# Prints the systemd unit that starts it.
unit() {
	cat <<'END'
[Unit]
Description=Kexec HandOver of a file
After=cached.service

[Service]
ExecStart=/usr/local/sbin/kho-story

[Install]
WantedBy=multi-user.target
END
}

# sources CODENAME: prints the lists in which this machine's apt has that suite, so that
# packages come from the mirror that this machine uses
sources() {
	grep -lsw "$1" /etc/apt/sources.list /etc/apt/sources.list.d/*.{list,sources}
}

# make_system DIR: makes the root file system
make_system() {
	local dir=$1 codename archives
	codename=${SUITE:-$(. /etc/os-release; echo "$VERSION_CODENAME")}
	mapfile -t archives < <(sources "$codename")
	rm -rf "$dir"
	mmdebstrap --variant=essential --include=systemd-sysv,udev,kmod,kexec-tools,python3-minimal,python3 \
		--customize-hook="copy-in $(image) $(find "$build/deb/tools" -name 'kho-tools_*.deb') /tmp" \
		--customize-hook="chroot \"\$1\" sh -c 'dpkg -i /tmp/*.deb && rm /tmp/*.deb'" \
		"$codename" "$dir" "${archives[@]}" || return
	story >"$dir/usr/local/sbin/kho-story"
	chmod 755 "$dir/usr/local/sbin/kho-story"
	unit >"$dir/etc/systemd/system/kho-story.service"
	ln -s ../kho-story.service "$dir/etc/systemd/system/multi-user.target.wants/"
	install_service "$dir" || return
	echo '/dev/vda / ext4 rw 0 1' >"$dir/etc/fstab"
}

# install_service DIR: installs the example service of kho-tools, which runs fdstore here
install_service() {
	local dir=$1 program

	make -s -C tools/testing/selftests/liveupdate -f fdstore.mk OUT="$out" TREE="$tree" CC=gcc \
		"$out/fdstore" || return
	cp "$out/fdstore" "$dir/usr/bin"
	program=$dir/usr/bin/cached
	cached >"$program"
	chmod 755 "$program"
	cp "$dir/usr/share/doc/kho-tools/examples/luo-run.service" \
		"$dir/etc/systemd/system/cached.service"
	ln -s ../cached.service "$dir/etc/systemd/system/multi-user.target.wants/"
}

# Prints the path of the package with the kernel.
image() {
	find "$small" -maxdepth 1 -name 'linux-image-*.deb' ! -name '*-dbg_*' | sort -V | tail -1
}

# Each step is part of one condition, since run_logged switches set -e off.
make_disk() {
	rm -f "$out/disk.img"
	make_system "$out/system" &&
		mke2fs -q -t ext4 -d "$out/system" "$out/disk.img" 2G &&
		cp "$out"/system/boot/vmlinuz-* "$out/vmlinuz" &&
		rm -rf "$out/system"
}

# result WHAT PATTERN: prints a line of TAP: did the guest print a line that matches?
n=0 failed=''
result() {
	n=$((n + 1))
	if grep -qE "kho-deb: $2" "$build/vm/deb.log"; then
		say "ok $n - $1"
	else
		say "not ok $n - $1"
		failed=yes
	fi
}

main() {
	local sum
	host/deb/deb.sh small
	host/deb/tools.sh
	mkdir -p "$out"
	run_logged "making a Debian system" "$logs/deb-disk.log" make_disk ||
		die_log "the Debian system cannot be made" "$logs/deb-disk.log"
	host/vm/vm.sh --name deb --kernel "$out/vmlinuz" --mem 1G --cpus 2 --limit 300 \
		--qemu "-drive file=$out/disk.img,format=raw,if=virtio" \
		--append "root=/dev/vda rw console=ttyS0 kho=on liveupdate=on no_timer_check systemd.show_status=0" || true
	sum=$(sed -n 's/.*kho-deb: sum \([0-9a-f]\{64\}\).*/\1/p' "$build/vm/deb.log")
	say "1..10"
	result "Debian boots with the package's kernel" "6\.12\.[0-9]*-kho-small is (running|starting|degraded)"
	result "the package is installed" "package linux-image-6.12.* install ok installed"
	result "systemctl kexec is a handover" "KHO: handover from 6\.12\..*-kho-small, kexec count 1"
	result "the file arrives" "arrived ${sum:-nothing} "
	result "a service of luo-run begins with nothing" "first: nothing"
	result "it has its files when systemd restarts it" "first: 0 cache memfd .* warm"
	result "luo-run says which file it cannot keep" "first: .*'log' is kept for restarts and not over"
	result "systemd is told to spare the keeper" "spared: (yes, systemd|, systemd 252)"
	result "the service has its memory under the next kernel" "second: 0 cache memfd .* warm"
	result "it is in sessions again" "sessions 2"
	[[ -z $failed ]] || tail -20 "$build/vm/deb.log"
	[[ -z $failed ]]
}

main
