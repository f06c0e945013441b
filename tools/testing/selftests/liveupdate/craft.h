/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * craft.h - writes what a previous kernel could have handed over
 */
#ifndef LUO_CRAFT_H
#define LUO_CRAFT_H

/*
 * Writes a handover of that kind: "sessions" is one with many sessions, some of which are
 * damaged; the others are damaged as a whole. Returns 0 if it could be written.
 */
int craft(const char *kind);

#endif
