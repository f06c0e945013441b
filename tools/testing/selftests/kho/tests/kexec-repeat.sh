# SPDX-License-Identifier: GPL-2.0-only
#
# What is handed over is what is kept at the moment of the kexec, however
# often a kernel was loaded or unloaded before, and also when files came and
# went after it was loaded.
#
# shellcheck shell=dash

about="kernels loaded twice, unloaded, loaded; files that come and go meanwhile"
kernels="main next"
stages=2
plan=8

stage_1() {
	# In the initrd before they are kept, since that is packed first.
	remember size.late "$(bytes 5M)"
	note_down

	check "a file can be kept" keep early 5M
	check "another one as well" keep dropped 5M 0
	check "a kernel can be loaded" load_kernel load main
	check "another one in its place" load_kernel load next
	check "and unloaded" kexec_load unload

	# The counts go along with what is loaded here: no more checks.
	load_kernel load next || bail_out "cannot load a kernel again"
	keep late 5M || bail_out "cannot keep a file after loading"
	forget dropped || bail_out "cannot drop a file after loading"
	leave
}

stage_2() {
	check "no memory got lost" arrived 1
	check "the right files are there" same files "$(kept)" "early late"
	check "they are intact" intact early late
	finish
}
