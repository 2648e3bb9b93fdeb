/* SPDX-License-Identifier: GPL-2.0 */
/*
 * report_page.S - the page of `headway report`, up to its data and after it, as report/build.sh
 * makes it. Both are empty where the program was built without it.
 */
	.section .rodata
	.global headway_page_head, headway_page_head_end, headway_page_tail, headway_page_tail_end
headway_page_head:
	.incbin "head.html"
headway_page_head_end:
headway_page_tail:
	.incbin "tail.html"
headway_page_tail_end:
	.section .note.GNU-stack, "", @progbits
