// SPDX-License-Identifier: GPL-2.0-only
/*
 * Includes kernel/liveupdate/flb.c, to be able to clear its variables: a kernel reads the
 * incoming FLBs once, but the fuzzer has new ones in each case.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include "../../../kernel/liveupdate/flb.c"

#include "luo_world.h"

void luo_flb_forget(void)
{
	kfree(incoming);
	incoming = NULL;
	nr_incoming = 0;
	files_finished = false;
	if (!IS_ERR_OR_NULL(out_page))
		kho_unpreserve_free(out_page);
	out_page = NULL;
}
