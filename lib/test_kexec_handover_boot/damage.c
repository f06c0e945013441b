// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test client of Kexec HandOver: damages the outgoing handover just before the next
 * kernel starts.
 *
 * debugfs has the file test_kho_damage, which takes a seed and what to damage:
 *
 *   SEED map    nodes of the preserved map, and the scratch array
 *   SEED all    nodes of the preserved map, and the root FDT
 *   WAY now     the root node of the map, at once: WAY 0 to 3, see damage_now()
 *   4 now       the spare root FDT, at once, as if kexec had stopped a CPU that was
 *               writing it
 *
 * With "map" and "all" the kexec does the damage, after KHO has computed the checksum.
 * The seed alone determines the damage.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "test_kho: " fmt

#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/prandom.h>
#include <linux/printk.h>
#include <linux/test_kexec_handover.h>

#include "../../kernel/kexec_handover/outgoing.h"
#include "../../kernel/kexec_handover/scratch.h"

#define MAX_TARGETS	256
#define MAX_CHANGES	3

/* A range of words that change() may damage. */
struct target {
	u64 *words;
	unsigned int nr;
};

static struct target targets[MAX_TARGETS];
static unsigned int nr_targets;

/* What user space wrote to test_kho_damage last. */
static bool armed;
static bool damage_fdt;
static struct rnd_state rnd;

static u32 below(u32 limit)
{
	return prandom_u32_state(&rnd) % limit;
}

static void add_target(void *start, size_t bytes)
{
	if (nr_targets < MAX_TARGETS)
		targets[nr_targets++] = (struct target){ start, bytes / sizeof(u64) };
}

static int add_node(phys_addr_t node, unsigned int level, u64 key, void *arg)
{
	add_target(phys_to_virt(node), PAGE_SIZE);

	return 0;
}

static void find_targets(void)
{
	kho_map_walk(&kho_out.map, add_node, NULL);
	if (damage_fdt)
		add_target(kho_out.handed, KHO_FDT_SIZE);
	else
		add_target(kho_scratch, kho_scratch_cnt * sizeof(*kho_scratch));
}

static struct target *some_target(void)
{
	return &targets[below(nr_targets)];
}

/* Returns a word of @target that is not zero, or any word after 5000 attempts. */
static u64 *live_word(struct target *target)
{
	u64 *word;
	int i = 0;

	do {
		word = &target->words[below(target->nr)];
	} while (!*word && i++ < 5000);

	return word;
}

/* Returns an address of a target, of scratch or of any page, or a power of two. */
static u64 odd_address(void)
{
	switch (below(5)) {
	case 0: return virt_to_phys(some_target()->words);
	case 1: return virt_to_phys(some_target()->words) + 8;
	case 2: return kho_scratch[below(kho_scratch_cnt)].addr;
	case 3: return (u64)below(1 << 20) << PAGE_SHIFT;
	default: return 1ULL << below(64);
	}
}

static void change(void)
{
	struct target *target = some_target(), *other = some_target();

	switch (below(6)) {
	case 0:
		target->words[below(target->nr)] ^= 1ULL << below(64);
		break;
	case 1:
		*live_word(target) ^= 1ULL << below(64);
		break;
	case 2:
		*live_word(target) = odd_address();
		break;
	case 3:
		memset(target->words, 0, target->nr * sizeof(u64));
		break;
	case 4:
		memset(target->words, 0xff, target->nr * sizeof(u64));
		break;
	default:
		memcpy(target->words, other->words, min(target->nr, other->nr) * sizeof(u64));
	}
}

/* Returns a sum of all targets, which tells whether any of them has changed. */
static u64 sum_of_words(void)
{
	u64 sum = 0;

	for (unsigned int i = 0; i < nr_targets; i++) {
		for (unsigned int j = 0; j < targets[i].nr; j++)
			sum = sum * 31 + targets[i].words[j];
	}

	return sum;
}

/**
 * test_kho_kexec_phase - damage the outgoing handover as user space asked
 *
 * Context: kexec. This CPU is the only one that still runs.
 */
void test_kho_kexec_phase(void)
{
	unsigned int nr;
	u64 before;

	if (!armed)
		return;

	find_targets();
	before = sum_of_words();
	for (nr = 1 + below(MAX_CHANGES); nr; nr--)
		change();
	while (sum_of_words() == before)
		*live_word(some_target()) ^= 1ULL << below(64);
}

/* Damages the map while it is in use, so that a walk could go astray, or the spare FDT. */
static void damage_now(u64 way)
{
	u64 *root = kho_out.map.root->entry;
	unsigned int i = 0;

	while (!root[i])
		i++;

	switch (way) {
	case 0:
		root[i] = 0xdead000000;
		break;
	case 1:
		root[i] += 8;
		break;
	case 2:
		root[i] = virt_to_phys(root);
		break;
	case 4:
		memset(kho_out.spare, 0xff, KHO_FDT_SIZE / 2);
		break;
	default:
		memset(root, 0xff, PAGE_SIZE);
	}
}

static ssize_t damage_write(struct file *file, const char __user *ubuf,
			    size_t count, loff_t *ppos)
{
	char buf[32] = {}, what[8];
	u64 seed;

	if (!kho_is_enabled() || count >= sizeof(buf))
		return -EINVAL;
	if (copy_from_user(buf, ubuf, count))
		return -EFAULT;
	if (sscanf(buf, "%llu %7s", &seed, what) != 2)
		return -EINVAL;
	if (!strcmp(what, "now")) {
		damage_now(seed);
		return count;
	}
	if (strcmp(what, "map") && strcmp(what, "all"))
		return -EINVAL;

	damage_fdt = !strcmp(what, "all");
	prandom_seed_state(&rnd, seed);
	armed = true;

	return count;
}

static const struct file_operations damage_fops = {
	.write = damage_write,
};

static int __init test_kho_damage_init(void)
{
	debugfs_create_file("test_kho_damage", 0200, NULL, NULL, &damage_fops);

	return 0;
}
late_initcall(test_kho_damage_init);
