// SPDX-License-Identifier: GPL-2.0-only
/*
 * The simulated machine of luo_fuzz: its memory, in which folios wait, the live update
 * state that an old kernel leaves there, and the functions that the new kernel calls.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sanitizer/asan_interface.h>

#include "luo_world.h"

struct luo_world luo_world;

static u64 random_state;

/* The folios that were restored, each at the number of its first page. */
static struct folio folios[LUO_PAGES];

/* An allocation fails when this becomes 0. */
static unsigned int fail_in;
static bool failed;

/* xorshift64*: a seed gives the same numbers on all hosts. */
u64 random_below(u64 limit)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;

	return random_state * 0x2545f4914f6cdd1dULL % limit;
}

void random_seed(u64 seed)
{
	random_state = seed * 0x9e3779b97f4a7c15ULL + 1;
}

void luo_say(const char *fmt, ...)
{
	luo_world.said++;
	luo_world.last_said = fmt;
}

/*
 * Folios that wait
 */

static bool in_ram(u64 phys)
{
	return phys >= LUO_RAM && phys < LUO_END;
}

static unsigned int number_of(u64 phys)
{
	return (phys - LUO_RAM) / PAGE_SIZE;
}

/* Does a folio of this order wait at @phys? */
bool luo_waits(u64 phys, int order)
{
	return in_ram(phys) && PAGE_ALIGNED(phys) && luo_world.orders[number_of(phys)] == order;
}

bool kho_read_waiting(phys_addr_t phys, void *to, size_t size)
{
	if (offset_in_page(phys) + size > PAGE_SIZE)
		luo_bug("a copy beyond the end of a page");
	if (!luo_waits(phys - offset_in_page(phys), 0))
		return false;
	memcpy(to, phys_to_virt(phys), size);

	return true;
}

int kho_waiting_order(unsigned long pfn)
{
	const u64 phys = PFN_PHYS(pfn);

	return pfn >> (64 - PAGE_SHIFT) || !in_ram(phys) ? -1 : luo_world.orders[number_of(phys)];
}

struct folio *kho_restore_if_waiting(unsigned long pfn)
{
	const int order = kho_waiting_order(pfn);
	unsigned int n;

	if (order < 0)
		return NULL;
	n = number_of(PFN_PHYS(pfn));
	luo_world.orders[n] = -1;
	folios[n] = (struct folio){ .page.zone = n / 16 % 2, .order = order, .refs = 1 };

	return &folios[n];
}

unsigned int kho_restore_batch(const unsigned long *pfns, unsigned int nr, struct folio **folios)
{
	unsigned int i = 0;

	for (; i < nr && !kho_waiting_order(pfns[i]); i++)
		folios[i] = kho_restore_if_waiting(pfns[i]);

	return i;
}

/* Returns the address of the folio. */
u64 luo_phys(const struct folio *folio)
{
	return LUO_RAM + (folio - folios) * PAGE_SIZE;
}

/* Returns how many folios were restored and not freed yet. */
unsigned int luo_nr_taken(void)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < LUO_PAGES; i++)
		nr += !!folios[i].refs;

	return nr;
}

/* After the last folio_put(), AddressSanitizer reports any use of the memory. */
void folio_put(struct folio *folio)
{
	if (!folio->refs)
		luo_bug("a folio is freed that was not restored");
	if (!--folio->refs)
		__asan_poison_memory_region((void *)luo_phys(folio), PAGE_SIZE << folio->order);
}

void kho_restore_free(void *mem)
{
	struct folio *folio = kho_restore_if_waiting(PHYS_PFN(virt_to_phys(mem)));

	if (!folio)
		luo_bug("a folio is freed that does not wait");
	folio_put(folio);
}

/*
 * The rest of the new kernel
 */

/* Makes the allocation fail that comes after @nr others. */
void luo_fail_next(unsigned int nr)
{
	fail_in = nr + 1;
	failed = false;
}

/* Makes no more allocations fail. Returns whether one has failed. */
bool luo_fail_stop(void)
{
	fail_in = 0;

	return failed;
}

void *kmalloc(size_t size, gfp_t gfp)
{
	if (fail_in && !--fail_in) {
		failed = true;
		return NULL;
	}

	return malloc(size);
}

void *kzalloc(size_t size, gfp_t gfp)
{
	void *p = kmalloc(size, gfp);

	return p ? memset(p, 0, size) : NULL;
}

void *kcalloc(size_t nr, size_t size, gfp_t gfp)
{
	return kzalloc(nr * size, gfp);
}

void kfree(const void *p)
{
	free((void *)p);
}

/* Allocates memory that is preserved for the kernel after this one. */
void *kho_alloc_preserve(size_t size)
{
	void *p = kzalloc(size, GFP_KERNEL);

	return p ?: ERR_PTR(-ENOMEM);
}

void kho_unpreserve_free(void *mem)
{
	free(mem);
}

bool kho_is_enabled(void)
{
	return true;
}

int kho_retrieve_subtree(const char *name, phys_addr_t *phys, size_t *size)
{
	if (strcmp(name, "LUO"))
		luo_bug("another blob than LUO");
	if (!luo_world.blob)
		return -ENOENT;
	*phys = luo_world.blob;
	*size = luo_world.blob_size;

	return 0;
}

/* The blob that was added last. The next kho_add_subtree() frees it. */
static void *blob;

int kho_add_subtree(const char *name, void *data, size_t size)
{
	if (strcmp(name, "LUO") || size != 32)
		luo_bug("another blob than LUO");
	free(blob);
	blob = data;

	return 0;
}

void kho_remove_subtree(void *data)
{
	blob = NULL;
}

int kstrtobool(const char *s, bool *res)
{
	*res = !strcmp(s, "on");

	return 0;
}

bool try_module_get(struct module *module)
{
	luo_world.modules += !!module;

	return true;
}

void module_put(struct module *module)
{
	luo_world.modules -= !!module;
}

int misc_register(struct miscdevice *misc)
{
	luo_world.device = misc->fops;

	return 0;
}

struct file *anon_inode_getfile(const char *name, const struct file_operations *fops,
				void *private_data, int flags)
{
	struct file *file = kzalloc(sizeof(*file), GFP_KERNEL);

	if (!file)
		return ERR_PTR(-ENOMEM);
	file->f_op = fops;
	file->private_data = private_data;
	file->count = 1;

	return file;
}

struct file *get_file(struct file *file)
{
	file->count++;

	return file;
}

struct file *fget(unsigned int fd)
{
	return NULL;
}

void fput(struct file *file)
{
	if (--file->count)
		return;
	if (file->f_op && file->f_op->release)
		file->f_op->release(NULL, file);
	free(file);
}

int get_unused_fd_flags(unsigned int flags)
{
	luo_world.installed = NULL;

	return 3;
}

void put_unused_fd(unsigned int fd)
{
}

void fd_install(unsigned int fd, struct file *file)
{
	luo_world.installed = file;
}

/* The fuzzer uses the size that the kernel knows. */
int copy_struct_from_user(void *to, size_t ksize, const void *from, size_t usize)
{
	if (ksize != usize)
		luo_bug("an argument of another size");
	memcpy(to, from, ksize);

	return 0;
}

/*
 * The old kernel
 */

void luo_world_init(void)
{
	void *ram = mmap((void *)LUO_RAM, LUO_PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (ram != (void *)LUO_RAM) {
		perror("cannot map memory at the addresses of the machine's RAM");
		exit(1);
	}
}

/* Resets the machine. Only the folio at LUO_LARGE waits, and no folio is restored. */
void luo_world_reset(void)
{
	const struct file_operations *device = luo_world.device;

	__asan_unpoison_memory_region((void *)LUO_RAM, LUO_PAGES * PAGE_SIZE);
	if (luo_world.next)
		memset((void *)LUO_RAM, 0, luo_world.next - LUO_RAM);
	memset((void *)LUO_LARGE, 0, PAGE_SIZE << 2);
	memset(&luo_world, 0, sizeof(luo_world));
	memset(luo_world.orders, -1, sizeof(luo_world.orders));
	memset(folios, 0, sizeof(folios));
	luo_world.next = LUO_RAM;
	luo_world.orders[number_of(LUO_LARGE)] = 2;
	luo_world.device = device;
	fail_in = 0;
}

/* Preserves a folio. */
u64 luo_folio(unsigned int order)
{
	u64 phys = ALIGN(luo_world.next, PAGE_SIZE << order);

	luo_world.next = phys + (PAGE_SIZE << order);
	if (luo_world.next > LUO_LARGE)
		luo_bug("the old kernel has no memory");
	luo_world.orders[number_of(phys)] = order;

	return phys;
}

u64 luo_page(void)
{
	return luo_folio(0);
}

/* Writes a block list. Its blocks are full, partly full or even empty. */
u64 luo_make_list(size_t entry_size, const void *entries, unsigned int nr)
{
	const unsigned int most = (PAGE_SIZE - 16) / entry_size;
	u64 head[1] = {}, *link = head;

	while (nr || !random_below(8)) {
		unsigned int some = random_below(3) ? most : random_below(most + 1);
		u64 *block = (u64 *)luo_page();

		some = min(some, nr);
		*link = (u64)block;
		link = block;
		block[1] = some;
		memcpy(block + 2, entries, some * entry_size);
		entries += some * entry_size;
		nr -= some;
	}

	return head[0];
}

/* Writes a list of @nr files. */
u64 luo_make_files(unsigned int nr, u64 first_token)
{
	static struct luo_file_ser files[256];

	memset(files, 0, sizeof(files));
	for (unsigned int i = 0; i < nr; i++) {
		strscpy(files[i].compatible, random_below(4) ? "handler-a" : "handler-b",
			sizeof(files[i].compatible));
		files[i].data = random_below(-1ULL);
		files[i].token = first_token + i;
	}

	return luo_make_list(sizeof(*files), files, nr);
}

void luo_make_state(u64 sessions, u64 flbs)
{
	struct luo_ser *state = (void *)luo_page();

	strscpy(state->compatible, "luo-v5", sizeof(state->compatible));
	state->liveupdate_num = random_below(100);
	state->sessions_pa = sessions;
	state->flbs_pa = flbs;
	luo_world.blob = (u64)state;
	luo_world.blob_size = sizeof(*state);
}

static u64 make_sessions(unsigned int nr)
{
	static struct luo_session_ser sessions[64];

	memset(sessions, 0, sizeof(sessions));
	for (unsigned int i = 0; i < nr; i++) {
		unsigned int files = random_below(6);

		/* Some sessions have many files. */
		if (files == 5 && random_below(4) == 0)
			files = random_below(150);
		snprintf(sessions[i].name, sizeof(sessions[i].name), "session-%u", i);
		sessions[i].count = files;
		sessions[i].files_pa = luo_make_files(files, random_below(3) - 1ULL);
	}

	return luo_make_list(sizeof(*sessions), sessions, nr);
}

static u64 make_flbs(void)
{
	unsigned int nr = random_below(8) ? random_below(4) : MOST_FLBS;
	struct luo_flb_header_ser *page = (void *)luo_page();
	struct luo_flb_ser *entry = (void *)(page + 1);

	page->pgcnt = 1;
	page->count = nr;
	for (unsigned int i = 0; i < nr; i++) {
		snprintf(entry[i].name, sizeof(entry[i].name), "flb-%c", (char)('a' + i % 26));
		entry[i].data = random_below(-1ULL);
		entry[i].count = random_below(10);
	}

	return (u64)page;
}

/* Makes a valid handover. */
void luo_make(void)
{
	unsigned int nr = random_below(4) ? random_below(6) : random_below(64);
	u64 sessions;

	luo_world_reset();
	sessions = make_sessions(nr);
	luo_make_state(sessions, random_below(3) ? make_flbs() : 0);
}
