// SPDX-License-Identifier: GPL-2.0-only
/*
 * luo - tests live update
 *
 *   luo serve PLACE &         an agent, which keeps files and sessions
 *   luo ask PLACE COMMAND...  asks the agent; fails with the name of the error
 *   luo errors                checks calls that have to fail, and prints TAP
 *   luo errors NAME           the same with the incoming session NAME, which has files
 *                             with the tokens 1 and 2
 *   luo craft KIND            with live update off: writes a handover for the next
 *                             kernel, see craft.c
 *
 * The commands of the agent are in sessions.c, files.c, hugetlb.c, scale.c and faults.c.
 */

#include "agent.h"
#include "craft.h"
#include "errors.h"

/* The Makefile includes nolibc.h, which is the C library here. */

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";

	if (argc == 3 && !strcmp(verb, "serve"))
		return serve(argv[2]);
	if (argc >= 4 && !strcmp(verb, "ask"))
		return ask(argv[2], argv + 3);
	if (argc == 2 && !strcmp(verb, "errors"))
		return errors_outgoing();
	if (argc == 3 && !strcmp(verb, "errors"))
		return errors_incoming(argv[2]);

	if (argc == 3 && !strcmp(verb, "craft"))
		return craft(argv[2]);

	fprintf(stderr, "usage: luo serve PLACE\n"
			"       luo ask PLACE COMMAND...\n"
			"       luo errors [SESSION]\n"
			"       luo craft KIND\n");
	return 2;
}
