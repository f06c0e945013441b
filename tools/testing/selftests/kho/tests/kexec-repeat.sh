# SPDX-License-Identifier: GPL-2.0-only
#
# KHO hands over what is preserved at the moment of the kexec, however often a kernel
# was loaded or unloaded before, and even when files were kept or dropped after the
# kernel was loaded.
#
# shellcheck shell=dash

about="a kernel loaded twice, unloaded and loaded; files change meanwhile"
kernels="main next"
stages=2
plan=8

stage_1() {
	# The initrd has to know the file's size. It is packed before the file is kept.
	remember size.late "$(bytes 5M)"
	note_down

	check "a file can be kept" keep early 5M
	check "a second file can be kept" keep dropped 5M 0
	check "a kernel can be loaded" load_kernel load main
	check "another kernel can be loaded in its place" load_kernel load next
	check "that kernel can be unloaded" kexec_load unload

	# This loads the command line with the KTAP counts, so no more checks may follow.
	load_kernel load next || bail_out "cannot load a kernel again"
	keep late 5M || bail_out "cannot keep a file after loading"
	forget dropped || bail_out "cannot drop a file after loading"
	leave
}

stage_2() {
	check "no memory is lost" arrived 1
	check "the right files are there" same files "$(kept)" "early late"
	check "the files are intact" intact early late
	finish
}
