// SPDX-License-Identifier: GPL-2.0-only
/*
 * The definitions of the tracepoints of Kexec HandOver, which several files use.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define CREATE_TRACE_POINTS
#include <trace/events/kho.h>
