/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A "kernel" that stops at its first instruction, so that memory stays as a
 * kexec left it.
 *
 * It prints the addresses of its boot_params and of itself to the serial port,
 * and then faults until the machine resets, which ends a qemu with -no-reboot.
 *
 * The layout is that of a bzImage: a boot sector with the setup header, as
 * many sectors of setup as it says, and what is entered 0x200 bytes on.
 */

#define SECTORS		1

	.text
	.org	0x1f1
	.byte	SECTORS			/* setup_sects */
	.org	0x1fe
	.word	0xaa55			/* boot_flag */
	.byte	0xeb, 0x6a		/* jump: the header ends at 0x26c */
	.ascii	"HdrS"
	.word	0x020f			/* version */
	.org	0x211
	.byte	0x01			/* loadflags: LOADED_HIGH */
	.org	0x22c
	.long	0x7fffffff		/* initrd_addr_max */
	.long	0x200000		/* kernel_alignment */
	.byte	1			/* relocatable_kernel */
	.byte	21			/* min_alignment */
	.word	0x23			/* xloadflags: 64 bits, anywhere, 5 levels */
	.long	0x7ff			/* cmdline_size */
	.org	0x258
	.quad	0x1000000		/* pref_address */
	.long	0x100000		/* init_size */
	.org	0x26c

	.org	(SECTORS + 1) * 0x200 + 0x200
	.code64
entry:
	mov	%rsi, %r8
	lea	said_params(%rip), %rsi
	lea	1f(%rip), %r9
	jmp	say
1:	mov	%r8, %rbx
	lea	1f(%rip), %r9
	jmp	say_hex
1:	lea	said_entry(%rip), %rsi
	lea	1f(%rip), %r9
	jmp	say
1:	lea	entry(%rip), %rbx
	lea	1f(%rip), %r9
	jmp	say_hex
1:	lea	said_end(%rip), %rsi
	lea	1f(%rip), %r9
	jmp	say
1:	lidt	no_idt(%rip)
	ud2

/* There may be no stack: %r9 has the return address. */
say:
	lodsb
	test	%al, %al
	jz	return
	lea	say(%rip), %r10
	jmp	put

say_hex:
	mov	$16, %r11
next_digit:
	rol	$4, %rbx
	mov	%bl, %al
	and	$15, %al
	add	$'0', %al
	cmp	$'9', %al
	jbe	1f
	add	$('a' - '9' - 1), %al
1:	lea	2f(%rip), %r10
	jmp	put
2:	dec	%r11
	jnz	next_digit
return:
	jmp	*%r9

/* Writes %al to the first serial port, and returns to %r10. */
put:
	mov	%al, %cl
	mov	$0x3fd, %dx
1:	in	%dx, %al
	test	$0x20, %al
	jz	1b
	mov	$0x3f8, %dx
	mov	%cl, %al
	out	%al, %dx
	jmp	*%r10

said_params:
	.asciz	"kho-stop: boot_params 0x"
said_entry:
	.asciz	" entry 0x"
said_end:
	.asciz	"\n"
no_idt:
	.word	0
	.quad	0
	.org	0x1000
