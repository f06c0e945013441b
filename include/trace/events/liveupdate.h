/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints of live update: what happens to the files of sessions.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM liveupdate

#if !defined(_TRACE_LIVEUPDATE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_LIVEUPDATE_H

#include <linux/tracepoint.h>

/*
 * One operation on one file. @err is 0 or a negative errno.
 */
DECLARE_EVENT_CLASS(luo_file,
	TP_PROTO(const char *handler, u64 token, u64 data, int err),
	TP_ARGS(handler, token, data, err),

	TP_STRUCT__entry(
		__string(handler, handler)
		__field(u64, token)
		__field(u64, data)
		__field(int, err)
	),

	TP_fast_assign(
		__assign_str(handler);
		__entry->token = token;
		__entry->data = data;
		__entry->err = err;
	),

	TP_printk("handler=%s token=%#llx data=%#llx err=%d", __get_str(handler),
		  __entry->token, __entry->data, __entry->err)
);

DEFINE_EVENT(luo_file, luo_preserve,
	TP_PROTO(const char *handler, u64 token, u64 data, int err),
	TP_ARGS(handler, token, data, err)
);

DEFINE_EVENT(luo_file, luo_unpreserve,
	TP_PROTO(const char *handler, u64 token, u64 data, int err),
	TP_ARGS(handler, token, data, err)
);

DEFINE_EVENT(luo_file, luo_freeze,
	TP_PROTO(const char *handler, u64 token, u64 data, int err),
	TP_ARGS(handler, token, data, err)
);

DEFINE_EVENT(luo_file, luo_retrieve,
	TP_PROTO(const char *handler, u64 token, u64 data, int err),
	TP_ARGS(handler, token, data, err)
);

DEFINE_EVENT(luo_file, luo_finish,
	TP_PROTO(const char *handler, u64 token, u64 data, int err),
	TP_ARGS(handler, token, data, err)
);

/* The step in reboot(): it stops all operations and writes the lists, or it fails. */
TRACE_EVENT(luo_kexec,
	TP_PROTO(unsigned long sessions, int err),
	TP_ARGS(sessions, err),

	TP_STRUCT__entry(
		__field(unsigned long, sessions)
		__field(int, err)
	),

	TP_fast_assign(
		__entry->sessions = sessions;
		__entry->err = err;
	),

	TP_printk("sessions=%lu err=%d", __entry->sessions, __entry->err)
);

#endif /* _TRACE_LIVEUPDATE_H */

#include <trace/define_trace.h>
