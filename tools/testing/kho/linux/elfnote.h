/* SPDX-License-Identifier: GPL-2.0-only */
/* The fuzzer is no image of a kernel that kexec could load, so it has no notes for it. */
#ifndef _KHO_ELFNOTE_H
#define _KHO_ELFNOTE_H

#define ELFNOTE32(name, type, desc)	static_assert(sizeof(name) && (type) && (desc))

#endif /* _KHO_ELFNOTE_H */
