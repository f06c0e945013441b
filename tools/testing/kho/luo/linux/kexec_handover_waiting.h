/* SPDX-License-Identifier: GPL-2.0-only */
#include "../../../../../include/linux/kexec_handover_waiting.h"
