/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints of Kexec HandOver: memory is preserved, unpreserved or restored, and
 * steps of the boot of a kernel that received a handover.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM kho

#if !defined(_TRACE_KHO_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_KHO_H

#include <linux/tracepoint.h>

/*
 * A folio of @order with @nr pages, or a run of @nr order-0 pages. @result is 0 or a
 * negative errno. A folio that could not be restored is shown with @order 0, since
 * its order is not known.
 */
DECLARE_EVENT_CLASS(kho_memory,

	TP_PROTO(unsigned long pfn, unsigned int order, unsigned long nr, int result),

	TP_ARGS(pfn, order, nr, result),

	TP_STRUCT__entry(
		__field(unsigned long, pfn)
		__field(unsigned int, order)
		__field(unsigned long, nr)
		__field(int, result)
	),

	TP_fast_assign(
		__entry->pfn = pfn;
		__entry->order = order;
		__entry->nr = nr;
		__entry->result = result;
	),

	TP_printk("pfn=0x%lx order=%u nr=%lu result=%d",
		  __entry->pfn, __entry->order, __entry->nr, __entry->result)
);

DEFINE_EVENT(kho_memory, kho_preserve,
	TP_PROTO(unsigned long pfn, unsigned int order, unsigned long nr, int result),
	TP_ARGS(pfn, order, nr, result)
);

DEFINE_EVENT(kho_memory, kho_unpreserve,
	TP_PROTO(unsigned long pfn, unsigned int order, unsigned long nr, int result),
	TP_ARGS(pfn, order, nr, result)
);

DEFINE_EVENT(kho_memory, kho_restore,
	TP_PROTO(unsigned long pfn, unsigned int order, unsigned long nr, int result),
	TP_ARGS(pfn, order, nr, result)
);

/*
 * The number of folios that wait for their owners and the number of nodes of the
 * incoming map: kho_accept after the handover was accepted, kho_finish when all
 * struct pages are initialised, kho_drop when the map is freed.
 */
DECLARE_EVENT_CLASS(kho_phase,

	TP_PROTO(unsigned long folios, unsigned long nodes),

	TP_ARGS(folios, nodes),

	TP_STRUCT__entry(
		__field(unsigned long, folios)
		__field(unsigned long, nodes)
	),

	TP_fast_assign(
		__entry->folios = folios;
		__entry->nodes = nodes;
	),

	TP_printk("unclaimed_folios=%lu map_nodes=%lu", __entry->folios, __entry->nodes)
);

DEFINE_EVENT(kho_phase, kho_accept,
	TP_PROTO(unsigned long folios, unsigned long nodes),
	TP_ARGS(folios, nodes)
);

DEFINE_EVENT(kho_phase, kho_finish,
	TP_PROTO(unsigned long folios, unsigned long nodes),
	TP_ARGS(folios, nodes)
);

DEFINE_EVENT(kho_phase, kho_drop,
	TP_PROTO(unsigned long folios, unsigned long nodes),
	TP_ARGS(folios, nodes)
);

#endif /* _TRACE_KHO_H */

/* This part must be outside protection */
#include <trace/define_trace.h>
