# SPDX-License-Identifier: GPL-2.0-only
#
# In each call of live update, and when programs use files that are handed over, each
# allocation fails once. The call returns an error and changes nothing: the next try works.
# A kexec that cannot find out what it would lose is refused.
#
# If the call can do without the allocation, it works.
#
# shellcheck shell=dash

about="each allocation of live update fails once: an error, nothing is lost, the next try works"
kernels="debug"
words="liveupdate=on brd.rd_nr=1 brd.rd_size=16384 hugepages=40"
mem=1G
limit=300
stages=2
plan=35
expect="vmalloc error|Call Trace|no memory to restore|VM_FAULT_OOM"
expect="$expect|LUO: .*(cannot freeze|cannot be frozen|cannot be read|files in unfinished sessions)"

readonly CLIENT_DIR=/sys/kernel/debug/test_liveupdate

# When a file of SMALL pages is retrieved, the array of its folios is read at once; the
# array of a file of LARGE pages is read later.
readonly FILES=32 FINISHES=24 SESSIONS=8 HUGE_SESSIONS=20 SMALL=40 LARGE=520
# The array of a file is one page at first, which has room for this many entries.
readonly ENTRIES=$((PAGE_SIZE / 16))

stage_1() {
	local n

	start_agent keeper
	check "allocations can be made to fail" prepare_faults
	check "there is swap" eval "mkswap /dev/ram0 >/dev/null && swapon /dev/ram0"
	remember empty "$(kho_stat out preserved_folios)"
	check "files can be made" all keeper "create s first
		memfd f
		write f 1 0 $((2 * LARGE))
		memfd w
		write w 2 0 64
		advise w 0 64 pageout"
	remember preserved "$(kho_stat out preserved_folios)"

	check "to create a session changes nothing when it fails" \
		each_fails keeper 5 "create c second" "close c" unchanged
	# Whether KHO needs nodes for its map depends on where the pages of the file are. So
	# the two times differ: between 11 and 19 of 50 failed allocations made the call
	# fail.
	for n in first second; do
		check "to preserve a file changes nothing when it fails, the $n time" \
			each_fails keeper 10 "preserve s 1 f" "close s ; create s $n" f_is_free
	done
	check "the same for a file in swap" \
		each_fails keeper 5 "preserve s 1 w" "close s ; create s third" unchanged
	ask keeper open-file x $CLIENT_DIR/new
	check "the same for a file that shares data with others" \
		each_fails keeper 4 "preserve s 1 x" "close s ; create s fourth" unchanged
	check "what was in the files is still there" all keeper "check f 1 0 $((2 * LARGE))
		check w 2 0 64
		close s
		close f
		close w
		close x"
	check "and no more is preserved than before" \
		same "preserved folios" "$(kho_stat out preserved_folios)" "$(recall empty)"

	check "a file can be preserved" all keeper "create s holes
		memfd e
		size e $((2 * ENTRIES * PAGE_SIZE))
		write e 3 0 $ENTRIES
		preserve s 1 e"
	remember data "$(ask keeper data e)"
	# The first page that is written after the file is preserved needs a larger array.
	check "a page that cannot come into a hole does not" each_fails keeper 4 \
		"write e 4 $ENTRIES 1" \
		"close s ; punch e $ENTRIES 1 ; create s holes ; preserve s 1 e" e_has_hole stays
	check "who touches a hole does not notice" \
		each_fails keeper 0 "poke e 4 $((ENTRIES + 1)) 1" \
		"close s ; punch e $((ENTRIES + 1)) 1 ; create s holes ; preserve s 1 e" true stays
	check "its pages are right" all keeper "check e 3 0 $ENTRIES
		check e 4 $ENTRIES 2
		zero e $((ENTRIES + 2)) 9"

	check "sessions for the next kernel can be made" make_sessions
	check "kmemleak finds no leak" no_leaks
	load_next debug "$words"
	check "a kexec that fails while files are frozen changes nothing" freeze_fails
	# The initrd of the last stage does not contain the kernels of /boot.
	cp /boot/debug "$STATE"
	handover debug "$words"
}

stage_2() {
	check "there is an incoming handover" came_in 1
	check "allocations can be made to fail" prepare_faults
	kexec_load load "$STATE/debug" - "$words" || bail_out "the kernel cannot be loaded"
	check "a kexec is refused that cannot find out what it would lose" refused_with_faults 3
	start_agent heir
	check "a session that cannot be retrieved can be the next time" retrieve_fails
	check "sessions can be retrieved" all heir "retrieve s holes
		retrieve r others"
	check "a file that cannot be taken can be the next time" take_fails 0 $SMALL
	check "the same for a large one" take_fails 100 $LARGE
	check "who touches a page that waits gets it, perhaps the next time" touch_fails 50 $SMALL
	check "the same in a large file" touch_fails 150 $LARGE
	check "the file with holes is right" all heir "take s 1 e
		check e 3 0 $ENTRIES
		check e 4 $ENTRIES 2
		zero e $((ENTRIES + 2)) 9"
	check "a file of the client that cannot be taken can be the next time" client_fails
	check "to finish changes nothing when it fails" finish_fails
	check "files that nobody took are freed although allocations fail" discard_fails
	check "hugetlb pages that nobody took are given up the next time" huge_finish_fails
	check "the pool has them" pool_is_free
	check "all sessions can be finished" all heir "finish s
		finish r
		close s
		close r"
	check "nothing waits any more" nothing_waits
	check "kmemleak finds no leak" no_leaks
	finish
}

# fault AGENT N COMMAND [FIRST]: runs FIRST, and at once afterwards COMMAND, of which the
# Nth allocation fails. Returns 0 if COMMAND fails with ENOMEM, 1 if it works all the same,
# 2 if it works and has no such allocation, 3 otherwise.
fault() {
	fault_said=$(ask "$1" "${4:+$4 ; }fail $2 ; $3" 2>&1)
	case $fault_said in
	ENOMEM) return 0 ;;
	"") return 1 ;;
	"no such allocation") return 2 ;;
	*) return 3 ;;
	esac
}

# each_fails AGENT LEAST COMMAND UNDO CHECK [stays]: each allocation of COMMAND fails once,
# and this makes COMMAND fail at least LEAST times. After each failure, CHECK tells whether
# all is as before. When COMMAND works all the same, UNDO undoes it; with "stays", the last
# COMMAND, in which nothing fails, is not undone.
each_fails() {
	local n=0 errors=0

	while :; do
		n=$((n + 1))
		fault "$1" $n "$3"
		case $? in
		0) errors=$((errors + 1)); $5 || { echo "after allocation $n"; return 1; } ;;
		1) ask "$1" "$4" || { echo "after allocation $n"; return 1; } ;;
		2) break ;;
		*) echo "allocation $n: $fault_said"; return 1 ;;
		esac
	done
	[ -n "$6" ] || ask "$1" "$4" || return
	summary "$n" "$errors" "$2"
}

# summary N ERRORS LEAST: logs how many of N - 1 failed allocations were errors, which has
# to be at least LEAST.
summary() {
	faults_said="$(($1 - 1)) allocations, $2 errors"
	echo "$faults_said" >/dev/kmsg
	[ "$2" -ge "$3" ] || { echo "$faults_said"; return 1; }
}

unchanged() {
	same "preserved folios" "$(kho_stat out preserved_folios)" "$(recall preserved)"
}

# The file "f" can be resized, so it is not preserved.
f_is_free() {
	unchanged && all keeper "size f $((3 * LARGE * PAGE_SIZE))
		size f $((2 * LARGE * PAGE_SIZE))"
}

e_has_hole() {
	same data "$(ask keeper data e)" "$(recall data)"
}

# Makes sessions for the next kernel: some to retrieve, one whose files are retrieved, and
# some to finish with and without their files.
make_sessions() {
	local n

	ask keeper "open-file x $CLIENT_DIR/new ; preserve s 2 x ; close x" || return
	ask keeper create r others || return
	for n in $(seq $FILES); do
		make_file r "$n" $SMALL && make_file r $((100 + n)) $LARGE || return
	done
	for n in $(seq $FINISHES); do
		ask keeper create "finish$n" "finish-$n" && make_file "finish$n" 1 $LARGE || return
	done
	for n in $(seq $SESSIONS); do
		make_file r $((50 + n)) $SMALL && make_file r $((150 + n)) $LARGE || return
		ask keeper create "retrieve$n" "retrieve-$n" && make_file "retrieve$n" 1 1 &&
			make_file "retrieve$n" 2 1 || return
		ask keeper create "discard$n" "discard-$n" || return
		make_file "discard$n" 1 $LARGE || return
	done
	# Each of these files has one page, and has reserved another one.
	for n in $(seq $HUGE_SESSIONS); do
		all keeper "create h$n huge-$n
			hugetlb h 21
			hsize h 2
			hreserve h 0 2
			hfill h 7 0 1
			preserve h$n 1 h
			close h" || return
	done
}

# make_file SESSION TOKEN PAGES
make_file() {
	ask keeper "memfd f ; write f 5 0 $3 ; preserve $1 $2 f ; close f"
}

# The file of the client is frozen last. It makes each kexec fail, also one in which no
# allocation fails.
freeze_fails() {
	local n=0 errors=0 said

	while :; do
		n=$((n + 1))
		echo "freeze 1 5" >$CLIENT_DIR/fail
		said=$(kexec_load fail $n exec 2>&1)
		case $said in
		*"no such allocation"*) break ;;
		"kexec_load: kexec: error 12") errors=$((errors + 1)) ;;
		"kexec_load: kexec: error 5") ;;
		*) echo "allocation $n: $said"; return 1 ;;
		esac
		ask keeper write e 4 $((ENTRIES + 1)) 1 || return
	done
	echo "freeze 1000 5" >$CLIENT_DIR/fail
	summary "$n" "$errors" 0
}

# refused_with_faults N: tries a kexec N times, and another allocation fails each time. The
# kernel can do without some of them.
refused_with_faults() {
	local n said errors=0

	for n in $(seq "$1"); do
		said=$(kexec_load fail "$n" exec 2>&1)
		case $said in
		"kexec_load: kexec: error 12") errors=$((errors + 1)) ;;
		*"kexec_load: kexec: error 16") ;;
		*) echo "allocation $n: $said"; return 1 ;;
		esac
	done
	summary "$n" $errors 1
}

retrieve_fails() {
	local n=0 i=1 errors=0

	while [ "$i" -le $SESSIONS ]; do
		n=$((n + 1))
		fault heir $n "retrieve q retrieve-$i"
		case $? in
		0) errors=$((errors + 1)); continue ;;
		1 | 2) ;;
		*) echo "allocation $n: $fault_said"; return 1 ;;
		esac
		all heir "take q 2 f
			check f 5 0 1
			close f
			close q" || return
		i=$((i + 1))
		[ -z "$fault_said" ] || break
	done
	end_sessions retrieve "$i" $SESSIONS && each_failed && summary "$n" "$errors" 5
}

# There were enough files or sessions for each allocation to fail once.
each_failed() {
	[ "$fault_said" = "no such allocation" ] || { echo "there are more allocations"; return 1; }
}

# end_sessions NAME FIRST LAST: finishes the sessions NAME-FIRST to NAME-LAST.
end_sessions() {
	local i

	for i in $(seq "$2" "$3"); do
		ask heir "retrieve q $1-$i ; finish q ; close q" || return
	done
}

# take_fails FIRST PAGES: retrieves the files after token FIRST, of PAGES pages each.
# Another allocation fails each time.
take_fails() {
	local n=0 errors=0

	while [ $((n += 1)) -le $FILES ]; do
		fault heir $n "take r $(($1 + n)) f"
		case $? in
		0) errors=$((errors + 1)); ask heir take r $(($1 + n)) f || return ;;
		1 | 2) ;;
		*) echo "allocation $n: $fault_said"; return 1 ;;
		esac
		right_file "$2" || { echo "after allocation $n"; return 1; }
		[ "$fault_said" != "no such allocation" ] || break
	done
	each_failed && summary "$n" "$errors" 3
}

right_file() {
	ask heir "check f 5 0 $1 ; close f"
}

# touch_fails FIRST PAGES: the same for the first page that is read. The read may work all
# the same, since the kernel may repeat an allocation that has failed once.
touch_fails() {
	local n=0 errors=0

	while [ $((n += 1)) -le $SESSIONS ]; do
		fault heir $n "check f 5 $(($2 / 2)) 1" "take r $(($1 + n)) f"
		case $? in
		0) errors=$((errors + 1)) ;;
		1 | 2) ;;
		*) echo "allocation $n: $fault_said"; return 1 ;;
		esac
		right_file "$2" || { echo "after allocation $n"; return 1; }
		[ "$fault_said" != "no such allocation" ] || break
	done
	each_failed && summary "$n" "$errors" 0
}

client_fails() {
	fault heir 1 "take s 2 x" || { echo "no error: $fault_said"; return 1; }
	ask heir take s 2 x
}

finish_fails() {
	each_finish_fails finish $FINISHES 1 " ; take q 1 f" "right_file $LARGE"
}

huge_finish_fails() {
	each_finish_fails huge $HUGE_SESSIONS 3 "" true
}

# each_finish_fails NAME COUNT LEAST TAKE CHECK: finishes the sessions of this name one
# after the other, after TAKE, while another allocation fails each time. CHECK tells whether
# all is right. Each of the first allocations fails, and then only some, because most of the
# later ones are alike: they are for the page cache.
each_finish_fails() {
	local n nth=1 errors=0

	for n in $(seq "$2"); do
		fault heir "$nth" "finish q" "retrieve q $1-$n$4"
		case $? in
		0) errors=$((errors + 1)); ask heir finish q || return ;;
		1 | 2) ;;
		*) echo "allocation $nth: $fault_said"; return 1 ;;
		esac
		ask heir close q || return
		$5 || { echo "after allocation $nth"; return 1; }
		[ "$fault_said" != "no such allocation" ] || break
		nth=$((nth + 1 + nth / 4))
	done
	end_sessions "$1" $((n + 1)) "$2" && each_failed && summary "$nth" "$errors" "$3"
}

pool_is_free() {
	same pool "$(sed -n 's/^HugePages_\(Free\|Rsvd\): *//p' /proc/meminfo | xargs)" "40 0"
}

discard_fails() {
	local n waiting

	for n in $(seq $SESSIONS); do
		ask heir retrieve q "discard-$n" || return
		waiting=$(kho_stat in unclaimed_folios)
		fault heir "$n" "finish q"
		[ $? -le 2 ] || { echo "allocation $n: $fault_said"; return 1; }
		ask heir close q || return
		waiting=$((waiting - $(kho_stat in unclaimed_folios)))
		[ "$waiting" -ge $LARGE ] || { echo "allocation $n: $waiting are free"; return 1; }
	done
}
