/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The options of a fuzzer: [--seed N] [--cases N] [--one SEED]
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _KHO_OPTIONS_H
#define _KHO_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>
#include <stdlib.h>

/**
 * struct fuzz_options - what the command line says
 * @seed: the seed of the first case, or of the only one
 * @cases: number of cases
 * @one: run only one case
 */
struct fuzz_options {
	unsigned long long seed;
	unsigned long long cases;
	bool one;
};

/* Reads the command line. Returns false if an option is invalid. */
static inline bool fuzz_options(struct fuzz_options *it, int argc, char **argv)
{
	static const struct option names[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "cases", required_argument, NULL, 'c' },
		{ "one", required_argument, NULL, 'o' },
		{},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (c == '?')
			return false;
		if (c == 'c')
			it->cases = strtoull(optarg, NULL, 0);
		else
			it->seed = strtoull(optarg, NULL, 0);
		it->one |= c == 'o';
	}

	return true;
}

#endif /* _KHO_OPTIONS_H */
