/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A "kernel" that stops at its first instruction, so that memory stays as a
 * kexec left it.
 *
 * It prints the address of its device tree to the serial port of qemu's virt, and switches
 * the machine off.
 *
 * The layout is that of an arm64 Image: a header of 64 bytes that begins with two
 * instructions. There is neither a stack nor a page table.
 */

	.text
	b	entry
	nop
	.quad	0			/* text_offset */
	.quad	0x10000			/* image_size */
	.quad	0xa			/* flags: little-endian, 4 KiB, anywhere */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0

entry:
	mov	x8, x0
	mov	x9, #0x09000000		/* the PL011 */
	adr	x1, said_tree
	bl	say
	mov	x10, #16
next_digit:
	ror	x8, x8, #60
	and	x2, x8, #15
	adr	x1, digits
	ldrb	w0, [x1, x2]
	strb	w0, [x9]
	subs	x10, x10, #1
	b.ne	next_digit
	adr	x1, said_end
	bl	say
	mov	x0, #0x0008
	movk	x0, #0x8400, lsl #16	/* SYSTEM_OFF of PSCI */
	hvc	#0
stay:	b	stay

say:
	ldrb	w0, [x1], #1
	cbz	w0, return
	strb	w0, [x9]
	b	say
return:	ret

said_tree:
	.asciz	"kho-stop: device tree 0x"
digits:
	.ascii	"0123456789abcdef"
said_end:
	.asciz	"\n"
	.balign	0x1000
