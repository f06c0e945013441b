// SPDX-License-Identifier: GPL-2.0-only
/*
 * luo_fuzz - tests how the kernel reads damaged sessions
 *
 *   luo_fuzz [--seed N] [--cases N] [--one SEED]
 *
 * Each case is live update state with up to four changes, which the seed determines. The
 * kernel's code in kernel/liveupdate/ reads the state as it does after a boot; the fuzzer
 * then opens the device, and retrieves and finishes sessions and files. The kernel and the
 * oracle must agree on each session and each file: if a list is broken, the call returns
 * the right error, with one message, and its memory goes on waiting; all other sessions and
 * files are retrieved as they were handed over. In some cases an allocation fails, after
 * which the call can be repeated. AddressSanitizer and UBSan check the kernel's code.
 *
 * The named cases are defects that are unlikely in random cases.
 *
 * Prints TAP. The exit status is 0 only if all results are "ok".
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <stdio.h>
#include <unistd.h>

#include "luo_world.h"
#include "options.h"

/* A case that takes this long has hung. SIGALRM then ends the fuzzer. */
#define CASE_SECONDS	20

static unsigned int results, failures;

static struct luo_reading reading;
static struct luo_files_reading files;

/* The calls of file handlers since this was last cleared. */
static struct {
	unsigned int retrieved, finished;
	u64 data;
	const char *handler;
} calls;

/*
 * File handlers and FLBs
 */

static bool handler_can_preserve(struct liveupdate_file_handler *handler, struct file *file)
{
	return false;
}

static int handler_preserve(struct liveupdate_file_op_args *args)
{
	return -EINVAL;
}

static void handler_unpreserve(struct liveupdate_file_op_args *args) { }

static int handler_retrieve(struct liveupdate_file_op_args *args)
{
	struct file *file;

	calls.retrieved++;
	calls.data = args->serialized_data;
	calls.handler = args->handler->compatible;
	if (args->serialized_data % 8 == 0)
		return -ENODATA;
	file = calloc(1, sizeof(*file));
	file->count = 1;
	args->file = file;

	return 0;
}

static void handler_finish(struct liveupdate_file_op_args *args)
{
	calls.finished++;
	if (args->retrieve_status == 1 && !args->file)
		luo_bug("a file that was retrieved is not there");
}

static const struct liveupdate_file_ops handler_ops = {
	.can_preserve = handler_can_preserve,
	.preserve = handler_preserve,
	.unpreserve = handler_unpreserve,
	.retrieve = handler_retrieve,
	.finish = handler_finish,
	.owner = (struct module *)&calls,
};

static struct liveupdate_file_handler handlers[] = {
	{ .ops = &handler_ops, .compatible = "handler-a" },
	{ .ops = &handler_ops, .compatible = "handler-b" },
};

static int flb_preserve(struct liveupdate_flb_op_args *args)
{
	return -EINVAL;
}

static void flb_unpreserve(struct liveupdate_flb_op_args *args) { }

static int flb_retrieve(struct liveupdate_flb_op_args *args)
{
	args->obj = (void *)args->data;

	return 0;
}

static void flb_finish(struct liveupdate_flb_op_args *args) { }

static const struct liveupdate_flb_ops flb_ops = {
	.preserve = flb_preserve,
	.unpreserve = flb_unpreserve,
	.retrieve = flb_retrieve,
	.finish = flb_finish,
};

static const struct liveupdate_flb some_flbs[] = {
	{ .ops = &flb_ops, .compatible = "flb-a" },
	{ .ops = &flb_ops, .compatible = "flb-c" },
	{ .ops = &flb_ops, .compatible = "flb-?" },
};

/*
 * Changes
 */

static u64 used_page(void)
{
	return LUO_RAM + random_below((luo_world.next - LUO_RAM) / PAGE_SIZE) * PAGE_SIZE;
}

/* Returns the address of a folio, an invalid one, or one where no folio waits. */
static u64 odd_address(void)
{
	switch (random_below(10)) {
	case 0: return used_page() + 8;
	case 1: return LUO_LARGE;
	case 2: return LUO_LARGE + PAGE_SIZE;
	case 3: return LUO_RAM - PAGE_SIZE;
	case 4: return LUO_END;
	case 5: return 1ULL << random_below(64);
	case 6: return -1ULL << random_below(64);
	case 7: return 0;
	default: return used_page();
	}
}

static u64 odd_number(void)
{
	switch (random_below(5)) {
	case 0: return 0;
	case 1: return 51 + random_below(14);
	case 2: return -1ULL >> random_below(64);
	case 3: return 1ULL << random_below(64);
	default: return random_below(64);
	}
}

static u64 *word_in(u64 page)
{
	return (u64 *)page + random_below(PAGE_SIZE / 8);
}

/* Returns a word of the old kernel that is not zero. */
static u64 *live_word(void)
{
	for (int i = 0; i < 1000; i++) {
		u64 *word = word_in(used_page());

		if (*word)
			return word;
	}

	return (u64 *)used_page();
}

static void change_bit(void)
{
	*word_in(used_page()) ^= 1ULL << random_below(64);
}

static void change_live_bit(void)
{
	*live_word() ^= 1ULL << random_below(64);
}

/* Changes a word that looks like a pointer, because it is an address in RAM. */
static void change_pointer(void)
{
	for (int i = 0; i < 1000; i++) {
		u64 *word = live_word();

		if (*word >= LUO_RAM && *word < LUO_END) {
			*word = odd_address();
			return;
		}
	}
}

static void change_header(void)
{
	u64 *header = (u64 *)used_page();

	if (random_below(2))
		header[0] = odd_address();
	else
		header[1] = odd_number();
}

static void change_number(void)
{
	*live_word() = odd_number();
}

static void change_blob(void)
{
	struct luo_ser *blob = (void *)luo_world.blob;

	/* An earlier change may have changed the address of the blob, or lost its folio. */
	if (!luo_waits(luo_world.blob, 0))
		return;

	switch (random_below(6)) {
	case 0:
		luo_world.blob_size = odd_number();
		break;
	case 1:
		blob->compatible[random_below(8)]++;
		break;
	case 2:
		blob->sessions_pa = odd_address();
		break;
	case 3:
		blob->flbs_pa = odd_address();
		break;
	case 4:
		luo_world.blob = 0;
		break;
	default:
		luo_world.blob = odd_address();
	}
}

/* Fills a page, or copies another page to it: then names, tokens and lists occur twice. */
static void change_page(void)
{
	u64 to = used_page(), from = used_page();

	switch (random_below(4)) {
	case 0:
		memset((void *)to, 0xff, PAGE_SIZE);
		break;
	case 1:
		memset((void *)to, 0, PAGE_SIZE);
		break;
	default:
		memmove((void *)to, (void *)from, PAGE_SIZE);
	}
}

static void change_entry(void)
{
	u64 page = used_page(), size = random_below(2) ? 80 : 64;
	u64 *from = (u64 *)(page + 16 + random_below(51) * size);
	u64 *to = (u64 *)(page + 16 + random_below(51) * size);

	memmove(to, from, random_below(2) ? size : 48 + random_below(2) * 16);
}

static void lose_page(void)
{
	luo_world.orders[(used_page() - LUO_RAM) / PAGE_SIZE] = random_below(2) ? -1 : 1;
}

static const struct {
	const char *name;
	void (*change)(void);
} changes[] = {
	{ "bits", change_bit }, { "bits that are set", change_live_bit },
	{ "pointers", change_pointer }, { "headers", change_header },
	{ "numbers", change_number }, { "blobs", change_blob },
	{ "pages", change_page }, { "entries", change_entry }, { "pages lost", lose_page },
};

static unsigned long changed[ARRAY_SIZE(changes)];

static void change(void)
{
	for (unsigned int nr = random_below(5); nr; nr--) {
		unsigned int n = random_below(ARRAY_SIZE(changes));

		changed[n]++;
		changes[n].change();
	}
}

/*
 * Comparing the kernel with the oracle
 */

/* Memory and folios as they were before a call. */
static struct {
	s8 orders[LUO_PAGES];
	u8 memory[LUO_PAGES * PAGE_SIZE];
} before;

static void remember(void)
{
	memcpy(before.orders, luo_world.orders, sizeof(before.orders));
	for (unsigned int i = 0; i < LUO_PAGES; i++) {
		if (before.orders[i] >= 0)
			memcpy(before.memory + i * PAGE_SIZE, (void *)LUO_RAM + i * PAGE_SIZE,
			       PAGE_SIZE);
	}
}

/* Do exactly those folios wait that waited at remember()? */
static bool all_waits(void)
{
	return !memcmp(before.orders, luo_world.orders, sizeof(before.orders));
}

static bool content_is_same(void)
{
	for (unsigned int i = 0; i < LUO_PAGES; i++) {
		if (luo_world.orders[i] >= 0 &&
		    memcmp(before.memory + i * PAGE_SIZE, (void *)LUO_RAM + i * PAGE_SIZE,
			   PAGE_SIZE))
			return false;
	}

	return true;
}

/* Does no block of the list wait any more? The list was valid at remember(). */
static bool list_is_free(u64 phys)
{
	while (phys) {
		unsigned int i = (phys - LUO_RAM) / PAGE_SIZE;

		if (luo_world.orders[i] >= 0)
			return false;
		phys = *(const u64 *)(before.memory + i * PAGE_SIZE);
	}

	return true;
}

static bool said(unsigned int messages)
{
	bool right = luo_world.said == messages;

	luo_world.said = 0;

	return right;
}

/* The device, while it is open. */
static struct file device;

static int device_ioctl(const char *name)
{
	struct liveupdate_ioctl_retrieve_session arg = { .size = sizeof(arg) };
	int err;

	strscpy((char *)arg.name, name, sizeof(arg.name));
	err = luo_world.device->unlocked_ioctl(&device, LIVEUPDATE_IOCTL_RETRIEVE_SESSION,
					       (unsigned long)&arg);
	if (!err != !!luo_world.installed)
		luo_bug("a success without a file, or a file without a success");

	return err;
}

static int take(struct file *session, u64 token)
{
	struct liveupdate_session_retrieve_fd arg = { .size = sizeof(arg), .token = token };

	return session->f_op->unlocked_ioctl(session, LIVEUPDATE_SESSION_RETRIEVE_FD,
					     (unsigned long)&arg);
}

static int finish(struct file *session)
{
	struct liveupdate_session_finish arg = { .size = sizeof(arg) };

	return session->f_op->unlocked_ioctl(session, LIVEUPDATE_SESSION_FINISH,
					     (unsigned long)&arg);
}

/*
 * Retrieves a session. In some cases an allocation fails first, and the call is repeated:
 * the number of messages is unknown then, so *@messages and the count become 0.
 */
static int retrieve(const char *name, unsigned int *messages)
{
	int err;

	luo_world.said = 0;
	if (random_below(4) == 0) {
		luo_fail_next(random_below(8));
		err = device_ioctl(name);
		if (!luo_fail_stop())
			return err;
		if (err != -ENOMEM)
			luo_bug("an allocation failed, and nobody noticed");
		*messages = 0;
	}
	err = device_ioctl(name);
	if (!*messages)
		luo_world.said = 0;

	return err;
}

static const char *compare_file(struct file *session, const struct luo_file_ser *want)
{
	const bool fails = want->data % 8 == 0;
	int err;

	memset(&calls, 0, sizeof(calls));
	err = take(session, want->token);
	if (err != (fails ? -ENODATA : 0))
		return "a file cannot be retrieved";
	if (calls.retrieved != 1 || calls.data != want->data ||
	    strcmp(calls.handler, want->compatible))
		return "a file is another one than that of the oracle";
	if (!said(fails))
		return "a file cannot be retrieved, and there is not one message";
	if (!fails)
		fput(luo_world.installed);

	memset(&calls, 0, sizeof(calls));
	err = take(session, want->token);
	if (err != (fails ? -ENODATA : 0) || calls.retrieved || !said(0))
		return "a file cannot be retrieved twice";
	if (!fails)
		fput(luo_world.installed);

	return NULL;
}

static const char *compare_files(struct file *session)
{
	const char *why = NULL;

	for (unsigned int i = 0; i < files.nr && !why; i++) {
		/* Some files are never retrieved. */
		if (random_below(4))
			why = compare_file(session, &files.files[i]);
	}
	if (why)
		return why;
	if (take(session, 0x123456789abcdefULL) != -ENOENT)
		return "there is a file with any token";

	memset(&calls, 0, sizeof(calls));
	if (random_below(2)) {
		if (finish(session) || finish(session))
			return "a session cannot be finished";
		if (files.nr && take(session, files.files[0].token) != -ENOENT)
			return "there is a file after FINISH";
	}
	fput(session);

	return calls.finished == files.nr ? NULL : "not each file was finished once";
}

static const char *compare_broken(const char *name, unsigned int messages)
{
	if (retrieve(name, &messages) != -EIO)
		return "a session is broken, and there is not EIO";
	if (!said(messages))
		return "a session is broken, and there is not one message";
	if (!all_waits())
		return "a session is broken, and its memory does not wait";
	if (device_ioctl(name) != -EIO)
		return "a session is not broken any more";
	luo_world.said = 0;

	return NULL;
}

static const char *compare_session(unsigned int i)
{
	const char *name = reading.sessions[i].name, *why;
	unsigned int messages;

	remember();
	if (!*name)
		return device_ioctl(name) == -ENOENT && said(0) ? NULL : "a session has no name";
	if (reading.sessions[i].twice)
		return compare_broken(name, 0);

	luo_oracle_files(reading.sessions[i].files, reading.sessions[i].count, &files);
	if (files.defect)
		return compare_broken(name, files.nr_twice + 1);

	messages = files.nr_twice;
	if (retrieve(name, &messages))
		return "a session cannot be retrieved";
	if (!said(messages))
		return "a session can be retrieved, and there is another number of messages";
	if (!list_is_free(reading.sessions[i].files))
		return "a list of files was not freed";
	why = compare_files(luo_world.installed);
	if (why)
		return why;

	return device_ioctl(name) == -ENOENT ? NULL : "a session is there after its end";
}

static const struct luo_flb_ser *find_flb(const char *name)
{
	for (unsigned int i = 0; i < reading.nr_flbs; i++) {
		if (!strcmp(reading.flbs[i].name, name))
			return &reading.flbs[i];
	}

	return NULL;
}

static const char *compare_flb(const struct liveupdate_flb *template)
{
	const struct luo_flb_ser *want = find_flb(template->compatible);
	static struct liveupdate_flb flb;
	void *obj;
	int err;

	memcpy(&flb, template, sizeof(flb));
	err = liveupdate_flb_get_incoming(&flb, &obj);
	if (!reading.nr_flbs)
		return err == -ENODATA ? NULL : "there is an FLB";
	if (!want)
		return err == -ENOENT ? NULL : "there is an unknown FLB";
	if (err || (u64)obj != want->data)
		return "an FLB is not there, or is another one";
	liveupdate_flb_put_incoming(&flb);

	return NULL;
}

/* Does what a boot does, until before the device is opened. */
static const char *boot(void)
{
	char on[] = "on";

	if (luo_early_param(on) || luo_initcall())
		return "live update does not start";
	if (!said(reading.blob_defect + !!reading.flb_defect))
		return "there is not one message for the blob and one for FLBs";
	if (!luo_world.device) {
		for (unsigned int i = 0; i < ARRAY_SIZE(handlers); i++) {
			if (liveupdate_register_file_handler(&handlers[i]))
				return "a file handler cannot be registered";
		}
		if (luo_device_initcall())
			return "there is no device";
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(some_flbs); i++) {
		const char *why = compare_flb(&some_flbs[i]);

		if (why)
			return why;
	}

	return NULL;
}

static int open_device(void)
{
	return luo_world.device->open(NULL, &device);
}

static void close_device(void)
{
	luo_world.device->release(NULL, &device);
}

/* Opens the device, which reads the list of sessions; again, if an allocation failed. */
static const char *open_sessions(void)
{
	unsigned int messages = reading.nr_twice;
	int err;

	if (reading.defect)
		messages = !reading.blob_defect;

	remember();
	if (random_below(4) == 0) {
		luo_fail_next(random_below(4));
		err = open_device();
		if (!err)
			close_device();
		if (!luo_fail_stop()) {
			if (err)
				return "the device cannot be opened";
			if (!said(messages))
				return "there is not one message for the list of sessions";
			messages = 0;
		} else if (err != -ENOMEM) {
			return "without memory the device can be opened";
		} else if (!all_waits() || luo_incoming.count) {
			return "without memory some sessions were read";
		}
		luo_world.said = 0;
	}
	if (open_device())
		return "the device cannot be opened";
	if (!said(messages))
		return "there is not one message for the list of sessions";
	if (reading.defect && !all_waits())
		return "the list of sessions is broken, and does not wait";
	if (!reading.defect && !list_is_free(reading.list))
		return "the list of sessions was not freed";

	return NULL;
}

/* Frees the broken sessions that are left, so that the next case begins without them. */
static void forget(void)
{
	struct luo_session *session, *next;

	list_for_each_entry_safe(session, next, &luo_incoming.list, list)
		kfree(session);
	INIT_LIST_HEAD(&luo_incoming.list);
	luo_incoming.names = RB_ROOT;
	luo_incoming.count = 0;
	luo_flb_forget();
}

static const char *judge(void)
{
	const char *why;

	alarm(CASE_SECONDS);
	luo_world.said = 0;
	luo_oracle_read(&reading);
	files.defect = NULL;
	remember();
	why = boot();
	if (!why && reading.blob_defect && !all_waits())
		why = "the blob is broken, and does not wait";
	why = why ?: open_sessions();
	if (why)
		return why;

	if (reading.nr_sessions != luo_incoming.count)
		why = "there is another number of sessions than the oracle found";
	else if (device_ioctl("a name") != -ENOENT)
		why = "there is a session of any name";
	for (unsigned int i = 0; i < reading.nr_sessions && !why; i++)
		why = compare_session(i);
	close_device();
	if (!why && luo_world.modules)
		why = "a module is still held";
	if (!why && !content_is_same())
		why = "memory that waits was changed";

	return why;
}

static void report(bool ok, const char *name, const char *why)
{
	printf("%sok %u - %s\n", ok ? "" : "not ", ++results, name);
	failures += !ok;
	if (!ok)
		printf("# %s (the kernel: %s, the oracle: %s, %s)\n", why,
		       luo_world.last_said ?: "nothing", reading.defect ?: "no defect",
		       files.defect ?: "no defect");
}

/*
 * Named cases: a handover with two sessions. "other" is valid. "session", whose list of
 * files has two blocks, is damaged in most cases.
 */

static struct luo_session_ser *session, *other;
static u64 first_block, second_block;
static struct luo_flb_header_ser *flb_page;

static void make_named(void)
{
	static struct luo_file_ser entries[70];
	struct luo_session_ser *list;
	u64 sessions;

	luo_world_reset();
	memset(entries, 0, sizeof(entries));
	for (unsigned int i = 0; i < ARRAY_SIZE(entries); i++) {
		strscpy(entries[i].compatible, "handler-a", sizeof(entries[i].compatible));
		entries[i].data = i * 8 + 1;
		entries[i].token = i;
	}
	sessions = luo_page();
	((u64 *)sessions)[1] = 2;
	list = (void *)sessions + 16;
	session = &list[0];
	other = &list[1];
	strscpy(session->name, "session", sizeof(session->name));
	strscpy(other->name, "other", sizeof(other->name));

	first_block = luo_page();
	second_block = luo_page();
	*(u64 *)first_block = second_block;
	((u64 *)first_block)[1] = 63;
	memcpy((void *)first_block + 16, entries, 63 * sizeof(*entries));
	((u64 *)second_block)[1] = 7;
	memcpy((void *)second_block + 16, entries + 63, 7 * sizeof(*entries));
	session->files_pa = first_block;
	session->count = 70;

	other->files_pa = luo_page();
	other->count = 1;
	((u64 *)other->files_pa)[1] = 1;
	memcpy((void *)other->files_pa + 16, entries, sizeof(*entries));

	flb_page = (void *)luo_page();
	flb_page->pgcnt = 1;
	flb_page->count = 1;
	memcpy(flb_page + 1, "flb-a", 6);
	luo_make_state(sessions, (u64)flb_page);
}

static struct luo_file_ser *file(unsigned int i)
{
	return (struct luo_file_ser *)(first_block + 16) + i;
}

static struct luo_ser *state(void)
{
	return (struct luo_ser *)luo_world.blob;
}

static u64 *sessions_block(void)
{
	return (u64 *)state()->sessions_pa;
}

static void spoil_nothing(void) { }

static void spoil_no_blob(void)
{
	luo_world.blob = 0;
}

static void spoil_version(void)
{
	strscpy(state()->compatible, "luo-v4", sizeof(state()->compatible));
}

static void spoil_long_version(void)
{
	memcpy(state()->compatible, "luo-v5.1", 8);
}

static void spoil_blob_size(void)
{
	luo_world.blob_size = 31;
}

static void spoil_larger_blob(void)
{
	luo_world.blob_size = 40;
}

static void spoil_blob_place(void)
{
	luo_world.blob += 8;
}

static void spoil_no_sessions(void)
{
	state()->sessions_pa = 0;
}

static void spoil_sessions_blob(void)
{
	state()->sessions_pa = luo_world.blob;
}

static void spoil_sessions_flbs(void)
{
	state()->sessions_pa = (u64)flb_page;
}

static void spoil_sessions_cycle(void)
{
	sessions_block()[0] = state()->sessions_pa;
}

static void spoil_sessions_count(void)
{
	sessions_block()[1] = 52;
}

static void spoil_sessions_full(void)
{
	sessions_block()[1] = 51;
}

static void spoil_sessions_empty(void)
{
	sessions_block()[0] = luo_page();
}

static void spoil_sessions_large(void)
{
	state()->sessions_pa = LUO_LARGE;
}

static void spoil_name_end(void)
{
	memset(session->name, 'n', sizeof(session->name));
}

static void spoil_no_name(void)
{
	session->name[0] = '\0';
}

static void spoil_name_twice(void)
{
	strscpy(session->name, "other", sizeof(session->name));
}

static void spoil_same_list(void)
{
	session->files_pa = other->files_pa;
	session->count = 1;
}

static void spoil_no_list(void)
{
	session->files_pa = 0;
}

static void spoil_no_files(void)
{
	session->files_pa = 0;
	session->count = 0;
}

static void spoil_cycle(void)
{
	*(u64 *)second_block = second_block;
}

static void spoil_long_cycle(void)
{
	*(u64 *)second_block = first_block;
}

static void spoil_count(void)
{
	((u64 *)second_block)[1] = 64;
}

static void spoil_huge_count(void)
{
	((u64 *)second_block)[1] = 1ULL << 58;
}

static void spoil_fewer(void)
{
	session->count--;
}

static void spoil_more(void)
{
	session->count++;
}

static void spoil_unaligned(void)
{
	session->files_pa += 8;
}

static void spoil_lost(void)
{
	luo_world.orders[(second_block - LUO_RAM) / PAGE_SIZE] = -1;
}

static void spoil_large(void)
{
	*(u64 *)second_block = LUO_LARGE;
}

static void spoil_tail(void)
{
	*(u64 *)second_block = LUO_LARGE + PAGE_SIZE;
}

static void spoil_last_page(void)
{
	*(u64 *)second_block = -PAGE_SIZE;
}

static void spoil_empty(void)
{
	*(u64 *)second_block = luo_page();
}

static void spoil_handler(void)
{
	strscpy(file(62)->compatible, "handler-c", sizeof(file(62)->compatible));
}

static void spoil_handler_end(void)
{
	memset(file(62)->compatible, 'h', 48);
}

static void spoil_token(void)
{
	file(5)->token = 4;
}

static void spoil_sessions_list(void)
{
	session->files_pa = state()->sessions_pa;
}

static void spoil_flbs(void)
{
	state()->flbs_pa = LUO_LARGE;
}

static void spoil_flb_pages(void)
{
	flb_page->pgcnt = 0;
}

static void spoil_flb_count(void)
{
	flb_page->count = 64;
}

static void spoil_flb_name(void)
{
	memset(flb_page + 1, 'f', 48);
}

static void spoil_no_flbs(void)
{
	flb_page->count = 0;
}

static void spoil_flb_twice(void)
{
	flb_page->count = 2;
	memcpy((void *)(flb_page + 1) + 64, flb_page + 1, 64);
}

enum outcome {
	FINE,		/* nothing is broken */
	SESSION,	/* "session" is broken */
	SESSIONS,	/* there is no session to retrieve */
	FLBS,		/* there is no FLB */
};

static const struct {
	const char *name;
	void (*spoil)(void);
	enum outcome outcome;
} named[] = {
	{ "two sessions", spoil_nothing, FINE },
	{ "no blob", spoil_no_blob, FINE },
	{ "another version", spoil_version, SESSIONS },
	{ "a version that begins like ours", spoil_long_version, SESSIONS },
	{ "a blob that is too small", spoil_blob_size, SESSIONS },
	{ "a blob that is larger", spoil_larger_blob, FINE },
	{ "a blob within a page", spoil_blob_place, SESSIONS },
	{ "no list of sessions", spoil_no_sessions, FINE },
	{ "the blob as list of sessions", spoil_sessions_blob, SESSIONS },
	{ "the page of FLBs as list of sessions", spoil_sessions_flbs, SESSIONS },
	{ "a cycle of sessions", spoil_sessions_cycle, SESSIONS },
	{ "too many sessions in a block", spoil_sessions_count, SESSIONS },
	{ "sessions without a name", spoil_sessions_full, FINE },
	{ "an empty last block of sessions", spoil_sessions_empty, FINE },
	{ "a large folio as list of sessions", spoil_sessions_large, SESSIONS },
	{ "a name without an end", spoil_name_end, FINE },
	{ "a session without a name", spoil_no_name, FINE },
	{ "a name that is there twice", spoil_name_twice, SESSION },
	{ "two sessions with one list", spoil_same_list, FINE },
	{ "a session with files and without a list", spoil_no_list, SESSION },
	{ "a session without files", spoil_no_files, FINE },
	{ "a block that follows itself", spoil_cycle, SESSION },
	{ "two blocks that follow each other", spoil_long_cycle, SESSION },
	{ "too many files in a block", spoil_count, SESSION },
	{ "so many files that their size overflows", spoil_huge_count, SESSION },
	{ "a file less than the session has", spoil_more, SESSION },
	{ "a file more than the session has", spoil_fewer, SESSION },
	{ "a list within a page", spoil_unaligned, SESSION },
	{ "a block that does not wait", spoil_lost, SESSION },
	{ "a large folio as block", spoil_large, SESSION },
	{ "a page of a large folio as block", spoil_tail, SESSION },
	{ "the last page of all as block", spoil_last_page, SESSION },
	{ "an empty last block", spoil_empty, FINE },
	{ "an unknown handler", spoil_handler, SESSION },
	{ "a handler without an end", spoil_handler_end, SESSION },
	{ "a token that is there twice", spoil_token, FINE },
	{ "the list of sessions as list of files", spoil_sessions_list, SESSION },
	{ "FLBs in a large folio", spoil_flbs, FLBS },
	{ "FLBs in no page", spoil_flb_pages, FLBS },
	{ "too many FLBs", spoil_flb_count, FLBS },
	{ "an FLB whose name has no end", spoil_flb_name, FLBS },
	{ "a page without FLBs", spoil_no_flbs, FINE },
	{ "an FLB that is there twice", spoil_flb_twice, FINE },
};

/* Does the oracle find what is expected? judge() then checks that the kernel does, too. */
static bool outcome_is(enum outcome outcome, const char *defect)
{
	switch (outcome) {
	case SESSIONS:
		return reading.defect;
	case FLBS:
		return reading.flb_defect && !reading.defect;
	case SESSION:
		return !reading.defect && (defect || reading.nr_twice);
	default:
		return !reading.defect && !reading.flb_defect && !defect;
	}
}

static void run_named(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(named); i++) {
		const char *why, *defect = NULL;

		random_seed(0);
		make_named();
		named[i].spoil();
		luo_oracle_read(&reading);
		if (reading.nr_sessions) {
			luo_oracle_files(reading.sessions[0].files, reading.sessions[0].count,
					 &files);
			defect = files.defect;
		}
		why = outcome_is(named[i].outcome, defect) ?
		      NULL : "the oracle finds something else";
		why = why ?: judge();
		report(!why, named[i].name, why);
		forget();
	}
}

static const char *run_case(u64 seed)
{
	random_seed(seed);
	luo_make();
	change();

	return judge();
}

static void run_random(u64 seed, u64 cases)
{
	unsigned long fine = 0, wrong = 0;
	char name[120];

	for (u64 i = 0; i < cases; i++) {
		const char *why = run_case(seed + i);

		fine += !luo_world.last_said;
		if (why && wrong++ < 10)
			printf("# --one %llu: %s (the kernel: %s, the oracle: %s, %s)\n",
			       (unsigned long long)(seed + i), why,
			       luo_world.last_said ?: "nothing",
			       reading.defect ?: "no defect", files.defect ?: "no defect");
		forget();
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(changes); i++)
		printf("# %s: %lu\n", changes[i].name, changed[i]);
	snprintf(name, sizeof(name), "%llu cases from seed %llu: %lu without a message, %lu wrong",
		 (unsigned long long)cases, (unsigned long long)seed, fine, wrong);
	report(!wrong && fine && fine < cases, name, "some cases are wrong, see above");
}

int main(int argc, char **argv)
{
	struct fuzz_options options = { .seed = 1, .cases = 20000 };

	setvbuf(stdout, NULL, _IOLBF, 0);
	luo_world_init();
	if (!fuzz_options(&options, argc, argv))
		return 2;
	if (options.one) {
		printf("%s\n", run_case(options.seed) ?: "ok");
		printf("the kernel: %s, the oracle: %s, %s\n", luo_world.last_said ?: "nothing",
		       reading.defect ?: "no defect", files.defect ?: "no defect");
		return 0;
	}

	printf("1..%zu\n", ARRAY_SIZE(named) + 1);
	run_named();
	run_random(options.seed, options.cases);

	return failures ? 1 : 0;
}
