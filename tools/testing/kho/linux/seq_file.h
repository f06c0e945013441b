/* SPDX-License-Identifier: GPL-2.0-only */
/* See ../debugfs.c. */
#ifndef _LINUX_SEQ_FILE_H
#define _LINUX_SEQ_FILE_H

#include <linux/types.h>

struct seq_file;

int seq_write(struct seq_file *m, const void *data, size_t len);

#define seq_printf(m, fmt, ...)		((void)(m), no_printf(fmt, ##__VA_ARGS__))

/* The fuzzer does not open these files: ../debugfs.c calls their show functions. */
#define DEFINE_SHOW_ATTRIBUTE(name)	\
	static const struct file_operations name##_fops = { .open = (void *)name##_show }

#endif /* _LINUX_SEQ_FILE_H */
