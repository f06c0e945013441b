// SPDX-License-Identifier: GPL-2.0-only
/*
 * vm_machine.c - makes, saves and restores a virtual machine of KVM
 *
 * Owns what KVM knows of a machine: which ioctls get and set a part of its state, and in
 * which order they set it. vm_state.h has the format.
 *
 * Two things are not kept: the state of a guest that is itself a host
 * (KVM_GET_NESTED_STATE), so CPUID does not offer SVM, and the state of AMX, which this
 * program does not ask for.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vm.h"

#define CPUID_ENTRIES	128
#define MSRS		512

#define MSR_TSC		0x10

static int call(int fd, const char *what, unsigned long request, void *arg)
{
	int result = ioctl(fd, request, arg);

	if (result < 0)
		fail("KVM: %s", what);
	return result;
}

/* ------------------------------------------------------------------------- creation */

/* In <linux/kvm.h>, the arrays of these have no fixed length. */
struct cpuid {
	struct kvm_cpuid2 head;
	struct kvm_cpuid_entry2 entries[CPUID_ENTRIES];
};

struct msrs {
	struct kvm_msrs head;
	struct kvm_msr_entry entries[MSRS];
};

static struct cpuid supported;
static struct {
	struct kvm_msr_list head;
	__u32 indices[MSRS];
} known_msrs;

static void look_at_kvm(int kvm)
{
	int version = ioctl(kvm, KVM_GET_API_VERSION, 0);

	if (version != KVM_API_VERSION)
		fail("KVM has version %d of its interface, and not %d", version, KVM_API_VERSION);
	supported.head.nent = CPUID_ENTRIES;
	call(kvm, "KVM_GET_SUPPORTED_CPUID", KVM_GET_SUPPORTED_CPUID, &supported);
	for (unsigned int i = 0; i < supported.head.nent; i++) {
		if (supported.entries[i].function == 0x80000001)
			supported.entries[i].ecx &= ~(1U << 2);	/* SVM */
		/* KVM has deadlines of the TSC, but leaves it to the VMM to say so. */
		if (supported.entries[i].function == 1)
			supported.entries[i].ecx |= 1U << 24;	/* deadlines of the TSC */
	}
	known_msrs.head.nmsrs = MSRS;
	call(kvm, "KVM_GET_MSR_INDEX_LIST", KVM_GET_MSR_INDEX_LIST, &known_msrs);
}

static void add_memory(struct machine *it, __u32 slot, __u64 offset, __u64 end)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.guest_phys_addr = vm_address(offset),
		.memory_size = end - offset,
		.userspace_addr = (uintptr_t)it->memory + offset,
	};

	call(it->fd, "KVM_SET_USER_MEMORY_REGION", KVM_SET_USER_MEMORY_REGION, &region);
}

static void create_vcpu(struct machine *it, int kvm, unsigned long id)
{
	int size = call(kvm, "KVM_GET_VCPU_MMAP_SIZE", KVM_GET_VCPU_MMAP_SIZE, NULL);

	it->vcpu_fds[id] = call(it->fd, "KVM_CREATE_VCPU", KVM_CREATE_VCPU, (void *)id);
	it->runs[id] = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, it->vcpu_fds[id], 0);
	if (it->runs[id] == MAP_FAILED)
		fail("mmap of a vCPU");
}

/* Makes the machine, with devices and vCPUs that have no state yet. */
void machine_create(struct machine *it, unsigned int vcpus, int memory, __u64 size)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	__u64 base = 0xfffbd000;
	struct kvm_pit_config pit = {};

	if (kvm < 0)
		fail("/dev/kvm");
	look_at_kvm(kvm);
	it->vcpus = vcpus;
	it->size = size;
	it->memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	if (it->memory == MAP_FAILED)
		fail("mmap of the guest's memory");

	it->fd = call(kvm, "KVM_CREATE_VM", KVM_CREATE_VM, NULL);
	/* Three pages below the firmware, for machines that need them. */
	ioctl(it->fd, KVM_SET_TSS_ADDR, base);
	call(it->fd, "KVM_CREATE_IRQCHIP", KVM_CREATE_IRQCHIP, NULL);
	call(it->fd, "KVM_CREATE_PIT2", KVM_CREATE_PIT2, &pit);
	/* Memory above the hole for devices is a slot of its own. */
	if (size <= VM_LOW_END) {
		add_memory(it, 0, 0, size);
	} else {
		add_memory(it, 0, 0, VM_LOW_END);
		add_memory(it, 1, VM_LOW_END, size);
	}
	for (unsigned long id = 0; id < vcpus; id++)
		create_vcpu(it, kvm, id);
	close(kvm);
}

/* ------------------------------------------------------------------- a guest begins */

extern const char guest_code[], guest_code_end[];

asm(".section .rodata\n"
	".global guest_code, guest_code_end\n"
	"guest_code: .incbin \"" VM_GUEST "\"\n"
	"guest_code_end: .byte 0\n"
	".previous");

/* The page tables map all memory at its physical address, in pages of 1 GiB. */
static void fill_memory(struct machine *it, const struct vm_params *params)
{
	__u64 *pml4 = (__u64 *)(it->memory + VM_PML4), *pdpt = (__u64 *)(it->memory + VM_PDPT);
	__u64 *gdt = (__u64 *)(it->memory + VM_GDT);

	pml4[0] = VM_PDPT | 3;
	for (__u64 i = 0; i < 512; i++)
		pdpt[i] = i << 30 | 0x83;
	gdt[VM_CS / 8] = 0x00af9b000000ffffULL;
	gdt[VM_DS / 8] = 0x00cf93000000ffffULL;
	memcpy(it->memory + VM_PARAMS, params, sizeof(*params));
	memcpy(it->memory + VM_CODE, guest_code, guest_code_end - guest_code);
}

static struct kvm_segment segment(__u16 selector, __u8 type, __u8 is_code)
{
	return (struct kvm_segment){
		.limit = 0xffffffff, .selector = selector, .type = type, .present = 1,
		.s = 1, .l = is_code, .db = !is_code, .g = 1,
	};
}

static void begin_vcpu(struct machine *it, unsigned int id, __u64 tsc_offset)
{
	int fd = it->vcpu_fds[id];
	struct kvm_mp_state runnable = { .mp_state = KVM_MP_STATE_RUNNABLE };
	struct kvm_device_attr offset = {
		.group = KVM_VCPU_TSC_CTRL, .attr = KVM_VCPU_TSC_OFFSET,
		.addr = (uintptr_t)&tsc_offset,
	};
	struct kvm_xcrs xcrs = { .nr_xcrs = 1, .xcrs[0] = { .xcr = 0, .value = 7 } };
	struct kvm_regs regs = {
		.rip = VM_CODE, .rflags = 2, .rdi = id,
		/* The stack pointer is as after a call. */
		.rsp = VM_STACKS + (id + 1) * VM_STACK - 8,
	};
	struct kvm_sregs sregs;

	/* The initial APIC ID is part of CPUID. */
	for (unsigned int i = 0; i < supported.head.nent; i++) {
		struct kvm_cpuid_entry2 *entry = &supported.entries[i];

		if (entry->function == 1)
			entry->ebx = (entry->ebx & 0xffffff) | id << 24;
		if (entry->function == 0xb || entry->function == 0x1f)
			entry->edx = id;
	}
	call(fd, "KVM_SET_CPUID2", KVM_SET_CPUID2, &supported);

	call(fd, "KVM_GET_SREGS", KVM_GET_SREGS, &sregs);
	sregs.cs = segment(VM_CS, 11, 1);
	sregs.ds = segment(VM_DS, 3, 0);
	sregs.es = sregs.ds;
	sregs.fs = sregs.ds;
	sregs.gs = sregs.ds;
	sregs.ss = sregs.ds;
	sregs.tr = (struct kvm_segment){
		.limit = 103, .selector = VM_TR, .type = 11, .present = 1,
	};
	sregs.gdt.base = VM_GDT;
	sregs.gdt.limit = VM_TR + 15;
	sregs.cr3 = VM_PML4;
	sregs.cr4 = 0x40620;		/* PAE, OSFXSR, OSXMMEXCPT, OSXSAVE */
	sregs.cr0 = 0x80050033;		/* PG, AM, WP, NE, ET, MP, PE */
	sregs.efer = 0x500;		/* LMA, LME */
	sregs.apic_base |= 0xc00;	/* enabled, x2APIC */
	call(fd, "KVM_SET_SREGS", KVM_SET_SREGS, &sregs);
	/* XCR0 of a CPU without AVX has one bit less. */
	if (ioctl(fd, KVM_SET_XCRS, &xcrs)) {
		xcrs.xcrs[0].value = 3;
		call(fd, "KVM_SET_XCRS", KVM_SET_XCRS, &xcrs);
	}
	call(fd, "KVM_SET_REGS", KVM_SET_REGS, &regs);
	call(fd, "KVM_VCPU_TSC_OFFSET", KVM_SET_DEVICE_ATTR, &offset);
	call(fd, "KVM_SET_MP_STATE", KVM_SET_MP_STATE, &runnable);
}

/* Gives a new guest its first state, with a TSC that begins at 0. */
void machine_begin(struct machine *it, const struct vm_params *params)
{
	__u64 offset = -read_clock();

	fill_memory(it, params);
	for (unsigned int id = 0; id < it->vcpus; id++)
		begin_vcpu(it, id, offset);
}

/* ---------------------------------------------------------------------------- parts */

/* A part of the state, and the ioctls that get and set it. @chip is for those of chips. */
struct part {
	__u32 type, size;
	const char *name;
	unsigned long get, set;
	__u32 chip;
};

#define PART(type, name, layout) \
	{ type, sizeof(layout), #name, KVM_GET_##name, KVM_SET_##name, 0 }
#define CHIP(type, chip) \
	{ type, sizeof(struct kvm_irqchip), "IRQCHIP", KVM_GET_IRQCHIP, KVM_SET_IRQCHIP, chip }
#define OTHER(type, name) { type, 0, name, 0, 0, 0 }

/*
 * The order matters. CPUID says which bits the other parts may have. The special registers
 * have the mode of the local APIC. Its timer and the MSR of the deadline use the guest's
 * TSC. Events come after all registers, because setting registers drops some of them.
 */
static const struct part vcpu_parts[] = {
	OTHER(VM_CPUID, "CPUID"),
	PART(VM_SREGS, SREGS2, struct kvm_sregs2),
	PART(VM_XCRS, XCRS, struct kvm_xcrs),
	PART(VM_XSAVE, XSAVE, struct kvm_xsave),
	PART(VM_DEBUGREGS, DEBUGREGS, struct kvm_debugregs),
	PART(VM_REGS, REGS, struct kvm_regs),
	OTHER(VM_TSC, "TSC"),
	PART(VM_LAPIC, LAPIC, struct kvm_lapic_state),
	OTHER(VM_MSRS, "MSRS"),
	PART(VM_EVENTS, VCPU_EVENTS, struct kvm_vcpu_events),
	PART(VM_MP_STATE, MP_STATE, struct kvm_mp_state),
};

/*
 * machine_restore() sets the clock before the vCPUs, because they look at it, and the chips
 * after the vCPUs, because chips interrupt vCPUs.
 */
static const struct part machine_parts[] = {
	OTHER(VM_CLOCK, "CLOCK"),
	CHIP(VM_PIC, KVM_IRQCHIP_PIC_MASTER),
	CHIP(VM_PIC2, KVM_IRQCHIP_PIC_SLAVE),
	CHIP(VM_IOAPIC, KVM_IRQCHIP_IOAPIC),
	PART(VM_PIT, PIT2, struct kvm_pit_state2),
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ----------------------------------------------------------------------------- save */

static char *put_section(struct vm_state *to, __u32 type, __u32 vcpu, __u64 size)
{
	struct vm_section *it = (void *)((char *)to + to->size);

	*it = (struct vm_section){ .type = type, .vcpu = vcpu, .size = size };
	to->size += sizeof(*it) + (size + 7) / 8 * 8;
	if (to->size > VM_STATE_SIZE)
		fail("the state of the machine has more than %d bytes", VM_STATE_SIZE);
	to->sections++;
	return (char *)(it + 1);
}

/* KVM stops at an MSR that this vCPU does not have. Such an MSR is left out. */
static void save_msrs(int fd, struct vm_state *to, __u32 vcpu)
{
	static struct msrs it;
	unsigned int first = 0, got, n = 0;

	for (unsigned int i = 0; i < known_msrs.head.nmsrs; i++)
		if (known_msrs.indices[i] != MSR_TSC)
			it.entries[n++].index = known_msrs.indices[i];
	while (first < n) {
		static struct msrs some;

		some.head.nmsrs = n - first;
		memcpy(some.entries, it.entries + first, (n - first) * sizeof(it.entries[0]));
		got = call(fd, "KVM_GET_MSRS", KVM_GET_MSRS, &some);
		memcpy(it.entries + first, some.entries, got * sizeof(it.entries[0]));
		first += got;
		if (first < n) {
			n--;
			memmove(it.entries + first, it.entries + first + 1,
				(n - first) * sizeof(it.entries[0]));
		}
	}
	it.head.nmsrs = n;
	memcpy(put_section(to, VM_MSRS, vcpu, sizeof(it.head) + n * sizeof(it.entries[0])), &it,
	       sizeof(it.head) + n * sizeof(it.entries[0]));
}

static void save_cpuid(int fd, struct vm_state *to, __u32 vcpu)
{
	static struct cpuid it;
	__u64 size;

	it.head.nent = CPUID_ENTRIES;
	call(fd, "KVM_GET_CPUID2", KVM_GET_CPUID2, &it);
	size = sizeof(it.head) + it.head.nent * sizeof(it.entries[0]);
	memcpy(put_section(to, VM_CPUID, vcpu, size), &it, size);
}

static void save_tsc(int fd, struct vm_state *to, __u32 vcpu)
{
	struct vm_tsc *it = (void *)put_section(to, VM_TSC, vcpu, sizeof(*it));
	struct kvm_device_attr offset = {
		.group = KVM_VCPU_TSC_CTRL, .attr = KVM_VCPU_TSC_OFFSET,
		.addr = (uintptr_t)&it->offset,
	};

	call(fd, "KVM_VCPU_TSC_OFFSET", KVM_GET_DEVICE_ATTR, &offset);
	it->khz = call(fd, "KVM_GET_TSC_KHZ", KVM_GET_TSC_KHZ, NULL);
	errno = 0;
	if (!it->khz)
		fail("KVM cannot give vCPU %u a TSC", vcpu);
}

static void save_clock(int fd, struct vm_state *to)
{
	struct vm_clock *it = (void *)put_section(to, VM_CLOCK, VM_ALL_VCPUS, sizeof(*it));
	struct kvm_clock_data now = {};

	it->host_tsc = read_clock();
	call(fd, "KVM_GET_CLOCK", KVM_GET_CLOCK, &now);
	it->ns = now.clock;
	if (now.flags & KVM_CLOCK_HOST_TSC)
		it->host_tsc = now.host_tsc;
}

static void save_part(const struct part *part, int fd, struct vm_state *to, __u32 vcpu)
{
	char *at;

	switch (part->type) {
	case VM_CPUID:
		save_cpuid(fd, to, vcpu);
		return;
	case VM_TSC:
		save_tsc(fd, to, vcpu);
		return;
	case VM_MSRS:
		save_msrs(fd, to, vcpu);
		return;
	case VM_CLOCK:
		save_clock(fd, to);
		return;
	}
	at = put_section(to, part->type, vcpu, part->size);
	memset(at, 0, part->size);
	if (part->get == KVM_GET_IRQCHIP)
		((struct kvm_irqchip *)at)->chip_id = part->chip;
	call(fd, part->name, part->get, at);
}

/* FNV-1a, by words of 8 bytes. The size is a multiple of 8. */
static __u64 checksum(const struct vm_state *it)
{
	const __u64 *words = (const __u64 *)it;
	__u64 sum = 0xcbf29ce484222325ULL;

	for (__u64 i = 0; i < it->size / 8; i++) {
		__u64 word = i == offsetof(struct vm_state, checksum) / 8 ? 0 : words[i];

		sum = (sum ^ word) * 0x100000001b3ULL;
	}
	return sum;
}

/* Called when all vCPUs are out of the guest. @stopped is the TSC at which they were. */
void machine_save(struct machine *it, struct vm_state *to, __u64 stopped)
{
	memset(to, 0, sizeof(*to));
	to->size = sizeof(*to);
	/* vCPUs come first, because reading their state may change that of chips. */
	for (unsigned int id = 0; id < it->vcpus; id++)
		for (unsigned int i = 0; i < COUNT(vcpu_parts); i++)
			save_part(&vcpu_parts[i], it->vcpu_fds[id], to, id);
	for (unsigned int i = 0; i < COUNT(machine_parts); i++)
		save_part(&machine_parts[i], it->fd, to, VM_ALL_VCPUS);
	to->magic = VM_STATE_MAGIC;
	to->version = VM_STATE_VERSION;
	to->memory = it->size;
	to->vcpus = it->vcpus;
	to->stopped = stopped;
	to->saved = read_clock();
	to->checksum = checksum(to);
}

/* -------------------------------------------------------------------------- restore */

/* Returns a section, or NULL. After machine_check(), each section is there. */
static const struct vm_section *find(const struct vm_state *from, __u32 type, __u32 vcpu)
{
	const char *at = (const char *)(from + 1), *end = (const char *)from + from->size;

	while (at < end) {
		const struct vm_section *it = (const void *)at;

		if (it->type == type && it->vcpu == vcpu)
			return it;
		at += sizeof(*it) + (it->size + 7) / 8 * 8;
	}
	return NULL;
}

/* Returns whether a section has the right size, and not more entries than have room. */
static int right_size(const struct part *part, const struct vm_section *it)
{
	switch (part->type) {
	case VM_TSC:
		return it->size == sizeof(struct vm_tsc);
	case VM_CLOCK:
		return it->size == sizeof(struct vm_clock);
	case VM_CPUID:
		return it->size >= sizeof(struct kvm_cpuid2) &&
		       ((const struct kvm_cpuid2 *)(it + 1))->nent <= CPUID_ENTRIES &&
		       it->size == sizeof(struct kvm_cpuid2) +
				((const struct kvm_cpuid2 *)(it + 1))->nent *
				sizeof(struct kvm_cpuid_entry2);
	case VM_MSRS:
		return it->size >= sizeof(struct kvm_msrs) &&
		       ((const struct kvm_msrs *)(it + 1))->nmsrs <= MSRS &&
		       it->size == sizeof(struct kvm_msrs) +
				((const struct kvm_msrs *)(it + 1))->nmsrs *
				sizeof(struct kvm_msr_entry);
	}
	return it->size == part->size;
}

static void check_part(const struct part *part, const struct vm_state *from, __u32 vcpu)
{
	const struct vm_section *it = find(from, part->type, vcpu);

	errno = 0;
	if (!it)
		fail("the state has no section %s of vCPU %d", part->name, (int)vcpu);
	if (!right_size(part, it))
		fail("section %s of vCPU %d has %llu bytes", part->name, (int)vcpu,
		     (unsigned long long)it->size);
}

/* Checks all that is read from the file, before anything is done with it. */
void machine_check(const struct vm_state *from, __u64 memory)
{
	const char *at = (const char *)(from + 1), *end;
	__u32 sections = 0;

	errno = 0;
	if (from->magic != VM_STATE_MAGIC)
		fail("this is no state of a machine");
	if (from->version != VM_STATE_VERSION)
		fail("the state has version %u, and not %u", from->version, VM_STATE_VERSION);
	if (from->size < sizeof(*from) || from->size > VM_STATE_SIZE || from->size % 8)
		fail("the state has %llu bytes", (unsigned long long)from->size);
	if (from->checksum != checksum(from))
		fail("the checksum of the state is wrong");
	if (from->memory != memory || from->vcpus < 1 || from->vcpus > VM_CPUS_MAX)
		fail("the state is of a machine with %llu bytes and %u vCPUs",
		     (unsigned long long)from->memory, from->vcpus);

	end = (const char *)from + from->size;
	while (at < end) {
		const struct vm_section *it = (const void *)at;

		if (end - at < (long)sizeof(*it) || it->size > (__u64)(end - at) - sizeof(*it))
			fail("a section of the state has no room");
		at += sizeof(*it) + (it->size + 7) / 8 * 8;
		sections++;
	}
	if (sections != from->sections)
		fail("the state has %u sections, and says %u", sections, from->sections);
	for (unsigned int id = 0; id < from->vcpus; id++)
		for (unsigned int i = 0; i < COUNT(vcpu_parts); i++)
			check_part(&vcpu_parts[i], from, id);
	for (unsigned int i = 0; i < COUNT(machine_parts); i++)
		check_part(&machine_parts[i], from, VM_ALL_VCPUS);
}

/* Some MSRs are read-only, so this sets only those that differ in a new vCPU. */
static void restore_msrs(int fd, const struct kvm_msrs *from)
{
	static struct msrs it;
	unsigned int n = 0, done;

	it.head.nmsrs = from->nmsrs;
	for (unsigned int i = 0; i < from->nmsrs; i++)
		it.entries[i].index = from->entries[i].index;
	if (call(fd, "KVM_GET_MSRS", KVM_GET_MSRS, &it) != (int)from->nmsrs) {
		errno = 0;
		fail("this kernel does not have all MSRs of the guest");
	}
	for (unsigned int i = 0; i < from->nmsrs; i++)
		if (it.entries[i].data != from->entries[i].data)
			it.entries[n++] = from->entries[i];
	it.head.nmsrs = n;
	done = call(fd, "KVM_SET_MSRS", KVM_SET_MSRS, &it);
	if (done < n) {
		errno = 0;
		fail("this kernel cannot set MSR 0x%x to 0x%llx", it.entries[done].index,
		     (unsigned long long)it.entries[done].data);
	}
}

/*
 * The host's TSC keeps counting during the kexec, and so does the guest's with the same
 * offset. Each kernel measures the frequency, with slightly different results. If the
 * results are very different, the machine has another clock.
 */
static void restore_tsc(int fd, const struct vm_tsc *from)
{
	struct kvm_device_attr offset = {
		.group = KVM_VCPU_TSC_CTRL, .attr = KVM_VCPU_TSC_OFFSET,
		.addr = (uintptr_t)&from->offset,
	};
	__u64 khz = call(fd, "KVM_GET_TSC_KHZ", KVM_GET_TSC_KHZ, NULL);

	errno = 0;
	if (khz > from->khz + from->khz / 50 || khz < from->khz - from->khz / 50)
		fail("the TSC had %llu kHz, and has %llu", (unsigned long long)from->khz,
		     (unsigned long long)khz);
	call(fd, "KVM_VCPU_TSC_OFFSET", KVM_SET_DEVICE_ATTR, &offset);
}

/* Sets kvmclock to its saved value plus the time since then. */
static void restore_clock(int fd, const struct vm_state *state, const struct vm_clock *from)
{
	__u64 cycles = read_clock() - from->host_tsc, khz = state_tsc(state)->khz;
	struct kvm_clock_data now = {
		.clock = from->ns + (__u64)((__uint128_t)cycles * 1000000 / khz),
	};

	call(fd, "KVM_SET_CLOCK", KVM_SET_CLOCK, &now);
}

static void restore_part(const struct part *part, int fd, const struct vm_state *from, __u32 vcpu)
{
	const void *at = find(from, part->type, vcpu) + 1;

	switch (part->type) {
	case VM_CPUID:
		call(fd, "KVM_SET_CPUID2", KVM_SET_CPUID2, (void *)at);
		return;
	case VM_TSC:
		restore_tsc(fd, at);
		return;
	case VM_MSRS:
		restore_msrs(fd, at);
		return;
	case VM_CLOCK:
		restore_clock(fd, from, at);
		return;
	}
	call(fd, part->name, part->set, (void *)at);
}

const struct vm_tsc *state_tsc(const struct vm_state *from)
{
	return (const void *)(find(from, VM_TSC, 0) + 1);
}

/* The machine was just created, and machine_check() has accepted the state. */
void machine_restore(struct machine *it, const struct vm_state *from)
{
	restore_part(&machine_parts[0], it->fd, from, VM_ALL_VCPUS);
	for (unsigned int id = 0; id < it->vcpus; id++)
		for (unsigned int i = 0; i < COUNT(vcpu_parts); i++)
			restore_part(&vcpu_parts[i], it->vcpu_fds[id], from, id);
	for (unsigned int i = 1; i < COUNT(machine_parts); i++)
		restore_part(&machine_parts[i], it->fd, from, VM_ALL_VCPUS);
}
