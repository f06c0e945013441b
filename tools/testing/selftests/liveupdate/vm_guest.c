// SPDX-License-Identifier: GPL-2.0-only
/*
 * vm_guest.c - the program that a guest of vm.c runs, which looks for traces of a kexec
 *
 * Owns all of the guest's memory. The VMM starts each vCPU in guest_main(), in 64-bit mode
 * with all memory mapped at its physical address. There is no operating system, and the
 * program is linked to the address VM_CODE.
 *
 * Each vCPU works (see vm_guest.h), and prints a line at each beat:
 *
 *   vm-guest: cpu 0 beat 7 sum 1f.. tsc 8123 clock 5123 gap 12 ticks 55 ipis 7 pit 20 twice 0
 *
 * "tsc" is the TSC of the vCPU and "clock" is kvmclock in ns. "gap" is the longest time, in
 * cycles, between two looks at the TSC since the last beat. "ticks", "ipis" and "pit" count
 * the interrupts of the vCPU's own timer, of the vCPU before it, and of the interval timer.
 * "twice" is how many interrupts the next vCPU has counted in excess of those that this one
 * has sent, at its last beat. If a word of memory, a register or a clock is wrong, the vCPU
 * prints a line with "WRONG".
 *
 * A vCPU puts patterns into registers that it does not use otherwise. vCPUs with even
 * numbers have a periodic timer, the others one with deadlines. After each beat a vCPU
 * sends an interrupt to the next vCPU, and halts until that has counted it. So a lost
 * interrupt stops the vCPU that sent it, and one too many is counted.
 */

#include <linux/compiler.h>

#include "vm_guest.h"

#define TIMER_VECTOR	0x40
#define IPI_VECTOR	0x41
#define PIT_VECTOR	0x42
#define SPURIOUS_VECTOR	0xff

#define MSR_TSC_DEADLINE	0x6e0
#define MSR_X2APIC		0x800
#define MSR_KVMCLOCK		0x4b564d01

#define APIC_TPR	0x08
#define APIC_EOI	0x0b
#define APIC_SPURIOUS	0x0f
#define APIC_ICR	0x30
#define APIC_TIMER	0x32
#define APIC_INITIAL	0x38
#define APIC_DIVIDE	0x3e

#define TIMER_PERIODIC	0x20000
#define TIMER_DEADLINE	0x40000
/* The local APIC of a guest runs at 1 GHz. Deadlines are in TSC cycles, which are more. */
#define TIMER_COUNT	20000000

#define IOAPIC		0xfec00000ULL
#define IOAPIC_PIN	0x10	/* the first register of pin 0, to which the PIT is connected */
#define PIT_COUNT	59659	/* 20 Hz */

#define SERIAL		0x3f8

/* The data of a vCPU. Its GS register has the address. */
struct cpu {
	struct cpu *self;
	__u64 id;
	__u64 ticks, ipis, pit;		/* counted by the interrupt handlers */
	__u64 sent, twice;
	__u64 tsc, gap, clock;
	__u64 sum, beat, page, round;
} __aligned(64);

static struct cpu cpus[VM_CPUS_MAX];
static const struct vm_params *const params = (void *)VM_PARAMS;

/* ------------------------------------------------------------------ instructions */

static inline struct cpu *this_cpu(void)
{
	struct cpu *it;

	asm volatile("mov %%gs:0, %0" : "=r"(it));
	return it;
}

static inline __u64 read_tsc(void)
{
	__u32 low, high;

	asm volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (__u64)high << 32 | low;
}

static inline __u64 rdmsr(__u32 msr)
{
	__u32 low, high;

	asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr) : "memory");
	return (__u64)high << 32 | low;
}

static inline void wrmsr(__u32 msr, __u64 value)
{
	asm volatile("wrmsr" : : "c"(msr), "a"((__u32)value), "d"((__u32)(value >> 32)) : "memory");
}

static inline void write_port(__u16 port, __u8 value)
{
	asm volatile("outb %0, %1" : : "a"(value), "d"(port));
}

static inline void apic(int reg, __u64 value)
{
	wrmsr(MSR_X2APIC + reg, value);
}

static void ioapic(__u32 reg, __u32 value)
{
	WRITE_ONCE(*(__u32 *)IOAPIC, reg);
	WRITE_ONCE(*(__u32 *)(IOAPIC + 0x10), value);
}

/* ------------------------------------------------------------------------ output */

struct line {
	unsigned int len;
	char text[256];
};

static void put(struct line *it, const char *text)
{
	while (*text && it->len < sizeof(it->text) - 1)
		it->text[it->len++] = *text++;
}

static void put_number(struct line *it, const char *name, __u64 value, int base)
{
	char digits[24];
	int i = sizeof(digits) - 1;

	digits[i] = '\0';
	do {
		digits[--i] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	put(it, name);
	put(it, digits + i);
}

/* Writes a line to the serial port. The lock keeps lines of several vCPUs apart. */
static void print(struct line *it)
{
	static int lock;
	const char *from = it->text;
	unsigned long len;

	it->text[it->len++] = '\n';
	len = it->len;
	while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
		asm volatile("pause");
	asm volatile("rep outsb" : "+S"(from), "+c"(len) : "d"(SERIAL) : "memory");
	__atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
}

static void start_line(struct line *it)
{
	it->len = 0;
	put_number(it, "vm-guest: cpu ", this_cpu()->id, 10);
}

static void wrong(const char *what, __u64 is, __u64 should)
{
	struct line it;

	start_line(&it);
	put(&it, " WRONG ");
	put(&it, what);
	put_number(&it, ": ", is, 16);
	put_number(&it, " and not ", should, 16);
	print(&it);
}

static void same(const char *what, __u64 is, __u64 should)
{
	if (is != should)
		wrong(what, is, should);
}

/* ------------------------------------------------------------------------- clocks */

/* Interrupts are off. */
static void look_at_tsc(struct cpu *it, __u64 now)
{
	if (now < it->tsc)
		wrong("TSC went back", now, it->tsc);
	else if (it->gap < now - it->tsc)
		it->gap = now - it->tsc;
	it->tsc = now;
}

/* The format is KVM's, see Documentation/virt/kvm/x86/msr.rst. */
struct pvclock {
	__u32 version, pad;
	__u64 tsc, ns;
	__u32 mul;
	__s8 shift;
	__u8 flags, pad2[2];
};

/* Returns kvmclock in ns, and sets @tsc to the TSC at the same moment. */
static __u64 read_clock(struct cpu *it, __u64 *tsc)
{
	const struct pvclock *page = (void *)(VM_CLOCKS + 64 * it->id);
	__u64 cycles, ns;
	__u32 version;

	/* The version is odd while the host writes. This vCPU does not run at that time. */
	do {
		version = READ_ONCE(page->version) & ~1;
		barrier();
		*tsc = read_tsc();
		cycles = *tsc - page->tsc;
		if (page->shift < 0)
			cycles >>= -page->shift;
		else
			cycles <<= page->shift;
		ns = page->ns + (__u64)((__uint128_t)cycles * page->mul >> 32);
		barrier();
	} while (READ_ONCE(page->version) != version);
	return ns;
}

/* Interrupts are off. */
static void look_at_clocks(struct cpu *it)
{
	__u64 tsc, now = read_clock(it, &tsc);

	look_at_tsc(it, tsc);
	if (now < it->clock)
		wrong("kvmclock went back", now, it->clock);
	it->clock = now;
}

/* --------------------------------------------------------------------- interrupts */

struct frame;

__attribute__((interrupt)) static void on_timer(struct frame *frame)
{
	struct cpu *it = this_cpu();

	(void)frame;
	it->ticks++;
	look_at_tsc(it, read_tsc());
	if (it->id & 1)
		wrmsr(MSR_TSC_DEADLINE, read_tsc() + TIMER_COUNT);
	apic(APIC_EOI, 0);
}

__attribute__((interrupt)) static void on_ipi(struct frame *frame)
{
	(void)frame;
	__atomic_fetch_add(&this_cpu()->ipis, 1, __ATOMIC_RELEASE);
	apic(APIC_EOI, 0);
}

__attribute__((interrupt)) static void on_pit(struct frame *frame)
{
	(void)frame;
	this_cpu()->pit++;
	apic(APIC_EOI, 0);
}

__attribute__((interrupt)) static void on_spurious(struct frame *frame)
{
	(void)frame;
}

/* Prints the top of the stack: an error code, if the exception has one, and the address. */
__attribute__((interrupt)) static void on_fault(struct frame *frame)
{
	const __u64 *stack = (void *)frame;
	struct line it;
	__u64 at;

	asm volatile("mov %%cr2, %0" : "=r"(at));
	start_line(&it);
	put_number(&it, " WRONG exception, stack ", stack[0], 16);
	put_number(&it, " ", stack[1], 16);
	put_number(&it, " CR2 ", at, 16);
	print(&it);
	for (;;)
		asm volatile("cli; hlt");
}

struct gate {
	__u16 low, selector, flags, mid;
	__u32 high, zero;
};

static struct gate idt[256];

static void set_gate(int vector, void (*handler)(struct frame *frame))
{
	__u64 at = (__u64)handler;

	idt[vector] = (struct gate){
		.low = at, .selector = VM_CS, .flags = 0x8e00, .mid = at >> 16, .high = at >> 32,
	};
}

/* All vCPUs share the table, and write the same into it. */
static void load_idt(void)
{
	struct { __u16 limit; __u64 base; } __packed it = {
		.limit = sizeof(idt) - 1, .base = (__u64)idt,
	};

	for (int vector = 0; vector < 32; vector++)
		set_gate(vector, on_fault);
	set_gate(TIMER_VECTOR, on_timer);
	set_gate(IPI_VECTOR, on_ipi);
	set_gate(PIT_VECTOR, on_pit);
	set_gate(SPURIOUS_VECTOR, on_spurious);
	asm volatile("lidt %0" : : "m"(it));
}

static void start_timers(struct cpu *it)
{
	apic(APIC_SPURIOUS, 0x100 | SPURIOUS_VECTOR);
	if (it->id & 1) {
		apic(APIC_TIMER, TIMER_DEADLINE | TIMER_VECTOR);
		wrmsr(MSR_TSC_DEADLINE, read_tsc() + TIMER_COUNT);
	} else {
		apic(APIC_DIVIDE, 0xb);
		apic(APIC_TIMER, TIMER_PERIODIC | TIMER_VECTOR);
		apic(APIC_INITIAL, TIMER_COUNT);
	}
	if (it->id)
		return;
	/* Masks all interrupts of both PICs, as a PC that uses APICs does. */
	write_port(0x21, 0xff);
	write_port(0xa1, 0xff);
	ioapic(IOAPIC_PIN + 1, 0);
	ioapic(IOAPIC_PIN, PIT_VECTOR);
	write_port(0x43, 0x34);
	write_port(0x40, PIT_COUNT & 0xff);
	write_port(0x40, PIT_COUNT >> 8);
}

/* ---------------------------------------------------------------------- registers */

/* Returns the value of register @n of a vCPU, which is different for each of them. */
static __u64 held(const struct cpu *it, int n)
{
	return vm_scatter(it->id << 32 | (n + 1));
}

/*
 * MSRs that nothing here uses, with the bits that they can hold. An address has to be
 * canonical.
 */
static const struct {
	__u32 msr;
	__u64 mask;
} held_msrs[] = {
	{ 0x174, 0xfff8 },			/* SYSENTER_CS */
	/* AMD has no SYSENTER in 64-bit mode. KVM keeps only 32 bits of these two there. */
	{ 0x175, 0xffffffff },			/* SYSENTER_ESP */
	{ 0x176, 0xffffffff },			/* SYSENTER_EIP */
	{ 0xc0000081, ~0ULL },			/* STAR */
	{ 0xc0000082, 0x7fffffffffff },		/* LSTAR */
	{ 0xc0000083, 0x7fffffffffff },		/* CSTAR */
	{ 0xc0000084, 0xffffffff },		/* SFMASK */
	{ 0xc0000100, 0x7fffffffffff },		/* FS_BASE */
	{ 0xc0000102, 0x7fffffffffff },		/* KERNEL_GS_BASE */
	{ 0xc0000103, 0xffffffff },		/* TSC_AUX */
	{ 0x277, 0x0404040404040404 },		/* PAT */
};

/* The vector registers change at each beat. */
static __u64 vectors[VM_CPUS_MAX][16 * 4] __aligned(64);

static int has_avx(void)
{
	static int avx = -1;
	__u32 a = 1, b, c = 0, d;

	if (avx < 0) {
		asm volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
		avx = c >> 28 & 1;
	}
	return avx;
}

#define EACH_VECTOR	".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\t"

static void load_vectors(struct cpu *it)
{
	__u64 *words = vectors[it->id];

	for (int i = 0; i < 64; i++)
		words[i] = held(it, i) + it->beat;
	if (has_avx())
		asm volatile(EACH_VECTOR "vmovdqu \\n*32(%0), %%ymm\\n\n\t.endr"
			     : : "r"(words) : "memory");
	else
		asm volatile(EACH_VECTOR "movdqu \\n*32(%0), %%xmm\\n\n\t.endr"
			     : : "r"(words) : "memory");
}

static void check_vectors(struct cpu *it)
{
	__u64 *words = vectors[it->id];
	int avx = has_avx();

	for (int i = 0; i < 64; i++)
		words[i] = 0;
	if (avx)
		asm volatile(EACH_VECTOR "vmovdqu %%ymm\\n, \\n*32(%0)\n\t.endr"
			     : : "r"(words) : "memory");
	else
		asm volatile(EACH_VECTOR "movdqu %%xmm\\n, \\n*32(%0)\n\t.endr"
			     : : "r"(words) : "memory");
	for (int i = 0; i < 64; i++)
		if (avx || i % 4 < 2)
			same("vector register", words[i], held(it, i) + it->beat);
}

#define MXCSR	0x3fc0		/* all exceptions masked, and numbers rounded down */
#define PI	0x400921fb54442d18ULL

static void load_registers(struct cpu *it)
{
	__u32 mxcsr = MXCSR;

	for (unsigned int i = 0; i < ARRAY_SIZE(held_msrs); i++)
		wrmsr(held_msrs[i].msr, held(it, i) & held_msrs[i].mask);
	asm volatile("mov %0, %%dr0" : : "r"(held(it, 100) >> 20));
	asm volatile("mov %0, %%dr1" : : "r"(held(it, 101) >> 20));
	asm volatile("mov %0, %%dr2" : : "r"(held(it, 102) >> 20));
	asm volatile("mov %0, %%dr3" : : "r"(held(it, 103) >> 20));
	asm volatile("mov %0, %%cr2" : : "r"(held(it, 104)));
	asm volatile("mov %0, %%cr8" : : "r"(2ULL));
	asm volatile("fninit; fldpi");
	asm volatile("ldmxcsr %0" : : "m"(mxcsr));
	load_vectors(it);
}

/* Also begins the next beat, with new values in the vector registers. */
static void check_registers(struct cpu *it)
{
	__u64 value;
	__u32 mxcsr;

	for (unsigned int i = 0; i < ARRAY_SIZE(held_msrs); i++)
		same("MSR", rdmsr(held_msrs[i].msr), held(it, i) & held_msrs[i].mask);
	asm volatile("mov %%dr0, %0" : "=r"(value));
	same("DR0", value, held(it, 100) >> 20);
	asm volatile("mov %%dr1, %0" : "=r"(value));
	same("DR1", value, held(it, 101) >> 20);
	asm volatile("mov %%dr2, %0" : "=r"(value));
	same("DR2", value, held(it, 102) >> 20);
	asm volatile("mov %%dr3, %0" : "=r"(value));
	same("DR3", value, held(it, 103) >> 20);
	asm volatile("mov %%cr2, %0" : "=r"(value));
	same("CR2", value, held(it, 104));
	asm volatile("mov %%cr8, %0" : "=r"(value));
	same("CR8", value, 2);
	asm volatile("fstl %0" : "=m"(value));
	same("x87 register", value, PI);
	asm volatile("stmxcsr %0" : "=m"(mxcsr));
	same("MXCSR", mxcsr, MXCSR);
	check_vectors(it);
	it->beat++;
	load_vectors(it);
}

/* --------------------------------------------------------------------------- work */

static void work_on_page(struct cpu *it)
{
	__u64 *at = (__u64 *)vm_address(vm_work_offset(params, it->id, it->page));
	__u64 old = it->round > 1 ? vm_first_word(it->id, it->page, it->round - 1) : 0;
	__u64 step = it->round > 1 ? VM_WORD_STEP : 0, sum = 0;
	__u64 new = vm_first_word(it->id, it->page, it->round);

	for (int i = 0; i < VM_PAGE_WORDS; i++) {
		if (at[i] != old)
			wrong("word of memory", at[i], old);
		sum += at[i];
		at[i] = new;
		old += step;
		new += VM_WORD_STEP;
	}
	it->sum = vm_sum(it->sum, sum);
	if (++it->page == params->pages) {
		it->page = 0;
		it->round++;
	}
}

/* Halts until the next vCPU has counted the interrupt, and this vCPU's timer has ticked. */
static void send_ipi(struct cpu *it)
{
	struct cpu *next = &cpus[(it->id + 1) % params->cpus];
	__u64 ticks = it->ticks, counted;

	apic(APIC_ICR, next->id << 32 | IPI_VECTOR);
	it->sent++;
	while (__atomic_load_n(&next->ipis, __ATOMIC_ACQUIRE) < it->sent ||
	       READ_ONCE(it->ticks) == ticks)
		asm volatile("hlt" : : : "memory");
	counted = READ_ONCE(next->ipis);
	it->twice += counted - it->sent;
	it->sent = counted;
}

static void tell_beat(struct cpu *it)
{
	struct cpu now;
	struct line line;

	/* What on_timer() finds out about the TSC from here on is for the next beat. */
	asm volatile("cli");
	look_at_clocks(it);
	now = *it;
	it->gap = 0;
	it->twice = 0;
	asm volatile("sti");

	start_line(&line);
	put_number(&line, " beat ", now.beat, 10);
	put_number(&line, " sum ", now.sum, 16);
	put_number(&line, " tsc ", now.tsc, 10);
	put_number(&line, " clock ", now.clock, 10);
	put_number(&line, " gap ", now.gap, 10);
	put_number(&line, " ticks ", now.ticks, 10);
	put_number(&line, " ipis ", now.ipis, 10);
	put_number(&line, " pit ", now.pit, 10);
	put_number(&line, " twice ", now.twice, 10);
	print(&line);
}

__noreturn void guest_main(__u64 id)
{
	struct cpu *it = &cpus[id];

	it->self = it;
	it->id = id;
	it->round = 1;
	wrmsr(0xc0000101, (__u64)it);
	load_idt();
	load_registers(it);
	wrmsr(MSR_KVMCLOCK, (VM_CLOCKS + 64 * id) | 1);
	it->tsc = read_tsc();
	start_timers(it);
	for (;;) {
		for (__u64 i = 0; i < params->beat; i++) {
			work_on_page(it);
			asm volatile("cli");
			look_at_clocks(it);
			asm volatile("sti");
		}
		check_registers(it);
		tell_beat(it);
		send_ipi(it);
	}
}
