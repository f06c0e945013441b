// SPDX-License-Identifier: GPL-2.0-only
/*
 * insns - a qemu plugin that counts where a guest's instructions are executed
 *
 *   -plugin insns.so,marks=FILE,out=FILE
 *
 * marks=FILE has lines "ADDRESS NAME", with the virtual address of a function.
 * Each time one of these functions is entered, out=FILE gets a line
 *
 *	mark NAME COUNT		instructions executed so far
 *
 * The NAMEs "from" and "to" bound a profile: when "to" is entered, out=FILE gets
 * lines
 *
 *	tb ADDRESS COUNT	instructions of this block of code since "from"
 *
 * The blocks are those of the emulator; the symbols of the kernel say which
 * functions the addresses are in. The kernel has to run without KASLR, so that it
 * is where its symbols say.
 */

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * The part of qemu's plugin interface, version 1, that is used here: Debian has
 * no package with the header.
 */
struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef void (*udata_cb)(unsigned int vcpu, void *userdata);

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id,
					   void (*cb)(uint64_t id, struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, int op,
					      void *ptr, uint64_t imm);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, udata_cb cb,
					    int flags, void *userdata);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);

#define INLINE_ADD_U64	0
#define CB_NO_REGS	0

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

#define MARKS_MAX	64
#define BUCKETS		65536

struct mark {
	uint64_t addr;
	char name[64];
};

/* Instructions executed in blocks that begin at this address. */
struct block {
	struct block *next;
	uint64_t addr;
	uint64_t count;
};

static struct mark marks[MARKS_MAX];
static int nr_marks;
static struct block *buckets[BUCKETS];
static uint64_t total;
static FILE *out;

static struct block *find_block(uint64_t addr)
{
	struct block **bucket = &buckets[addr * 0x9e3779b97f4a7c15ULL >> 48], *b;

	for (b = *bucket; b; b = b->next) {
		if (b->addr == addr)
			return b;
	}
	b = calloc(1, sizeof(*b));
	if (!b)
		abort();
	b->addr = addr;
	b->next = *bucket;
	*bucket = b;

	return b;
}

static void for_each_block(void (*fn)(struct block *b))
{
	for (int i = 0; i < BUCKETS; i++) {
		for (struct block *b = buckets[i]; b; b = b->next)
			fn(b);
	}
}

static void reset(struct block *b)
{
	b->count = 0;
}

static void print(struct block *b)
{
	if (b->count)
		fprintf(out, "tb %" PRIx64 " %" PRIu64 "\n", b->addr, b->count);
}

static void at_mark(unsigned int vcpu, void *userdata)
{
	struct mark *m = userdata;

	(void)vcpu;
	fprintf(out, "mark %s %" PRIu64 "\n", m->name, total);
	if (!strcmp(m->name, "from"))
		for_each_block(reset);
	if (!strcmp(m->name, "to"))
		for_each_block(print);
	fflush(out);
}

static void translate(uint64_t id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);

	(void)id;
	qemu_plugin_register_vcpu_tb_exec_inline(tb, INLINE_ADD_U64, &total, n);
	qemu_plugin_register_vcpu_tb_exec_inline(tb, INLINE_ADD_U64,
						 &find_block(qemu_plugin_tb_vaddr(tb))->count, n);

	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);

		for (int m = 0; m < nr_marks; m++) {
			if (qemu_plugin_insn_vaddr(insn) == marks[m].addr)
				qemu_plugin_register_vcpu_insn_exec_cb(insn, at_mark, CB_NO_REGS,
								       &marks[m]);
		}
	}
}

static bool read_marks(const char *path)
{
	FILE *in = fopen(path, "r");

	if (!in)
		return false;
	while (nr_marks < MARKS_MAX &&
	       fscanf(in, "%" SCNx64 " %63s", &marks[nr_marks].addr, marks[nr_marks].name) == 2)
		nr_marks++;
	fclose(in);

	return true;
}

__attribute__((visibility("default")))
int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "marks=", 6) && !read_marks(argv[i] + 6))
			return -1;
		if (!strncmp(argv[i], "out=", 4))
			out = fopen(argv[i] + 4, "w");
	}
	if (!out)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate);

	return 0;
}
