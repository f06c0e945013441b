# SPDX-License-Identifier: GPL-2.0-only
#
# luo-run, which only the guests have that need it, see tools/luo-run.
#
# Outside of a kernel tree: make -f luo-run.mk OUT=directory TREE=kernel-tree directory/luo-run

include Makefile

$(OUT)/luo-run: FORCE
	$(MAKE) -s -C $(TREE)/tools/luo-run OUT=$(OUT) LDFLAGS="-static -s" CFLAGS=-O2

FORCE:

.PHONY: FORCE
