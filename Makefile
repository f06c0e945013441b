# SPDX-License-Identifier: GPL-2.0-only
#
# Every command a person runs. What they do is in host/.

help:
	@echo 'make demo                  build two kernels, hand memory from one to the other, show it'
	@echo 'make vm-demo               the same with a virtual machine, which goes on under the next kernel'
	@echo 'make test                  the tests, in an hour'
	@echo '     [ARCH=arm64 [PAGES=64k]]  on arm64, perhaps with pages of 16k or 64k; so does make demo'
	@echo 'make test-kasan            tests under KASAN, without NUMA and deferred initialisation;'
	@echo '                           half an hour, since its kernel has to be built'
	@echo 'make random [HANDOVERS=200] [SEED=1]'
	@echo '                           random handovers on all kinds of machines, half an hour'
	@echo 'make damage [HANDOVERS=300] [SEED=1]'
	@echo '                           handovers that something writes over; twenty minutes'
	@echo 'make peer [PEER=...]       handovers to and from a Linux that has a KHO of its own, 7.3 as it is'
	@echo 'make mutations             break each promise on purpose: do the tests notice?'
	@echo 'make bench                 what a handover costs, in guest instructions'
	@echo '     [PEER=path|package]   and beside it another Linux with a KHO of its own'
	@echo
	@echo 'make tree [LINUX=path]     build/linux: Debian'"'"'s Linux 6.12, or this tree or tarball, with KHO'
	@echo 'make kernel [CONFIG=main]  build/kernel/main; host/build/config/kernels has the names'
	@echo 'make refresh               take edits of patched files in build/linux into patches/;'
	@echo '     [PATCH=x.patch] [FILES="mm/x.c ..."]  into this patch, also files new to it'
	@echo 'make new-patch NAME=x SUBJECT="mm: ..."    an empty patch at the end of the series'
	@echo 'make deb [FLAVOUR=cloud-amd64]   Debian packages of a kernel with KHO'
	@echo 'make deb-tools             the Debian package kho-tools: the commands kho and luo-run, with manual pages'
	@echo 'make deb-test              on a virtual disk with Debian: does systemctl kexec hand over?'
	@echo '     [SUITE=trixie]'
	@echo 'make series                build/mail: patches and whole files, ready for git am;'
	@echo '                           build/mail-tests: those that are for tests only'
	@echo 'make series-check          is every whole file in exactly one patch?'
	@echo 'make steps                 does each step of the series build, and boot? half an hour'
	@echo 'make compat                does the series fit the oldest 6.12.y that apt has? a quarter of an hour'
	@echo 'make lint                  checkpatch, kernel-doc, coccicheck, shellcheck, codespell'
	@echo 'make sparse                compile our files once more with sparse and W=1'
	@echo 'make doc                   build/doc: the pages about KHO as HTML'
	@echo
	@echo 'make deps                  install what this machine lacks; all others do so too'
	@echo 'make clean, distclean      remove built kernels; remove build/'

deps:
	@host/deps.sh

tree: deps
	@host/tree/tree.sh

kernel: tree
	@host/build/kernel.sh $(or $(CONFIG),main)

refresh: deps
	@host/tree/refresh.sh

new-patch: deps
	@host/tree/new-patch.sh

series-check: deps
	@host/tree/series.sh check

series: tree
	@host/tree/series.sh mail

steps: tree
	@host/tree/steps.sh

compat: tree
	@host/tree/compat.sh

# What sparse needs, and so do all tests, which include it and lint but for coccicheck.
# coccinelle does not depend on ocaml, which compiles the scripts of some checks, nor on
# Python, whose library runs others.
checkers := shellcheck codespell sparse
coccicheck := coccinelle libpython3-dev ocaml

debs := linux-config-6.12 dpkg-dev debhelper rsync kmod zstd

deb: tree
	@host/deps.sh $(debs)
	@host/deb/deb.sh $(FLAVOUR)

deb-tools: deps
	@host/deb/tools.sh

deb-test: tree
	@host/deps.sh $(debs) mmdebstrap e2fsprogs
	@host/deb/deb-test.sh

lint: tree
	@host/deps.sh $(checkers) $(coccicheck)
	@host/checks/lint.sh

sparse: tree
	@host/deps.sh $(checkers)
	@host/checks/lint.sh sparse

doc: tree
	@host/deps.sh python3-sphinx python3-yaml
	@host/build/doc.sh

# These build the kernels that they need. FILE= and the like reach them in the
# environment.
demo: tree
	@host/vm/demo.sh

vm-demo: tree
	@host/vm/vm-demo.sh

test: tree
	@host/deps.sh $(checkers)
	@host/vm/test.sh

test-kasan: tree
	@host/vm/test.sh kasan liveupdate-kasan hugetlb-kasan phases-flat nodefer

random: tree
	@host/vm/random.sh

damage: tree
	@host/vm/damage.sh

peer: tree
	@host/vm/test.sh peer peer-first peer-run peer-luo peer-luo-first peer-luo-scale peer-luo-errors

mutations: tree
	@host/checks/mutate.sh

bench: tree
	@host/bench/bench.sh

clean:
	rm -rf build/kernel

distclean:
	@host/tree/tree.sh --check
	rm -rf build

.PHONY: help deps tree kernel refresh new-patch series-check series steps compat deb deb-tools deb-test lint sparse doc demo vm-demo test test-kasan random damage peer mutations bench clean distclean
