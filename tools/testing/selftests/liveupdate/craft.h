/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * craft.h - writes what a previous kernel could have handed over
 */
#ifndef LUO_CRAFT_H
#define LUO_CRAFT_H

/*
 * Writes a handover of this kind. The kind "sessions" has many sessions, some of which are
 * damaged; all other kinds are damaged as a whole. Returns 0, or 1 if the kind is unknown.
 * Ends the program if the handover cannot be written.
 */
int craft(const char *kind);

#endif
