/* SPDX-License-Identifier: GPL-2.0-only */
/* Tracepoints that do nothing. */
#define TP_PROTO(args...)	args
#define TP_ARGS(args...)
#define TP_STRUCT__entry(args...)
#define TP_fast_assign(args...)
#define TP_printk(args...)
#define DECLARE_EVENT_CLASS(args...)
#define DEFINE_EVENT(class, name, proto, args)				\
	static inline void trace_##name(proto) { (void)sizeof(#class #args); }
#define TRACE_EVENT(name, proto, args...)				\
	static inline void trace_##name(proto) { (void)sizeof(#args); }
