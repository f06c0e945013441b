/* SPDX-License-Identifier: GPL-2.0-only */
/* The fuzzer has only one thread, so readers need no protection. */
#ifndef _KHO_RCUPDATE_H
#define _KHO_RCUPDATE_H

static inline void rcu_read_lock(void) { }
static inline void rcu_read_unlock(void) { }

#endif /* _KHO_RCUPDATE_H */
