/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How arrival.c understands a kernel's command line; for arrival.c and its KUnit tests.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _KHO_ARRIVAL_H
#define _KHO_ARRIVAL_H

/**
 * enum kho_word - meaning of a parameter on a kernel's command line
 * @KHO_WORD_ABSENT: the parameter is missing, or its value is malformed
 * @KHO_WORD_ON: the parameter switches on what it is for
 * @KHO_WORD_OFF: the parameter switches it off
 */
enum kho_word {
	KHO_WORD_ABSENT,
	KHO_WORD_ON,
	KHO_WORD_OFF,
};

enum kho_word kho_arrival_word(char *cmdline, const char *name);

#endif /* _KHO_ARRIVAL_H */
