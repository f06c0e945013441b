# SPDX-License-Identifier: GPL-2.0-only
#
# luo-bench, which only the guests of host/bench/bench.sh have.
#
# Outside of a kernel tree: make -f bench.mk OUT=directory TREE=kernel-tree directory/luo-bench

include Makefile

$(OUT)/luo-bench: bench.c session.c session.h sys.h ../kho/clock.h
	$(CC) $(CFLAGS) $(LUO_FLAGS) -o $@ bench.c session.c -lgcc
