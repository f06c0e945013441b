/* SPDX-License-Identifier: GPL-2.0-only */
/* The fuzzer has only one thread, so nothing changes while it reads. */
#ifndef _KHO_SEQLOCK_H
#define _KHO_SEQLOCK_H

#define seqcount_t	int

#define SEQCNT_ZERO(name)	(0 * sizeof(name))

static inline unsigned int read_seqcount_begin(const seqcount_t *s) { return 0; }
static inline bool read_seqcount_retry(const seqcount_t *s, unsigned int start) { return false; }
static inline void write_seqcount_begin(seqcount_t *s) { }
static inline void write_seqcount_end(seqcount_t *s) { }

#endif /* _KHO_SEQLOCK_H */
