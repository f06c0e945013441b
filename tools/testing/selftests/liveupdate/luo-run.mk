# SPDX-License-Identifier: GPL-2.0-only
#
# luo-run, see tools/luo-run. Only the guests that need it have it.
#
# Outside of a kernel tree: make -f luo-run.mk OUT=directory TREE=kernel-tree directory/luo-run

include Makefile

$(OUT)/luo-run: FORCE
	$(MAKE) -s -C $(TREE)/tools/luo-run OUT=$(OUT) LDFLAGS="-static -s" CFLAGS=-O2

FORCE:

.PHONY: FORCE
