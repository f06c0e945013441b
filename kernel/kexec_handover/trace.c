// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tracepoints of Kexec HandOver, which several files call.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define CREATE_TRACE_POINTS
#include <trace/events/kho.h>
