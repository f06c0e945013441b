/* SPDX-License-Identifier: GPL-2.0-only */
/* There is one thread only, so nobody has to wait for anything. */
#ifndef _KHO_RCUPDATE_H
#define _KHO_RCUPDATE_H

static inline void rcu_read_lock(void) { }
static inline void rcu_read_unlock(void) { }

#endif /* _KHO_RCUPDATE_H */
