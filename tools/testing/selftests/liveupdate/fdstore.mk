# SPDX-License-Identifier: GPL-2.0-only
#
# fdstore, which only the guests of luo-run have.
#
# Outside of a kernel tree: make -f fdstore.mk OUT=directory TREE=kernel-tree directory/fdstore

include Makefile

$(OUT)/fdstore: fdstore.c
	$(CC) $(CFLAGS) -D_GNU_SOURCE -o $@ $<
