/* SPDX-License-Identifier: GPL-2.0-only */
/* There is one thread only, so nothing changes while it reads. */
#ifndef _KHO_SEQLOCK_H
#define _KHO_SEQLOCK_H

typedef struct { int unused; } seqcount_t;

#define SEQCNT_ZERO(name)		{ 0 }
#define read_seqcount_begin(s)		((void)(s), 0)
#define read_seqcount_retry(s, seq)	((void)(s), (void)(seq), 0)
#define write_seqcount_begin(s)		((void)(s))
#define write_seqcount_end(s)		((void)(s))

#endif /* _KHO_SEQLOCK_H */
