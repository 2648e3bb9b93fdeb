/* SPDX-License-Identifier: GPL-2.0 */
/*
 * headway/sdt.h - tell `headway watch` what progress is, from inside a C or C++ program.
 *
 *	#include <headway/sdt.h>
 *
 *	while (!done) {
 *		HEADWAY_ATTEMPT(transfer);
 *		if (try_to_transfer()) {
 *			HEADWAY_PROGRESS(transfer);
 *			done = true;
 *		}
 *	}
 *
 * Each is one no-op instruction and a note in the file, in the format of SystemTap's probes
 * (section .note.stapsdt), with provider "headway" and the name "progress_NAME" or "attempt_NAME".
 * `headway watch` finds them by itself; perf, bpftrace and gdb can use them as well. Nothing is
 * linked and nothing else is needed, sys/sdt.h included. NAME is an identifier and not a string.
 *
 * Put HEADWAY_PROGRESS where a unit of work is really done, and HEADWAY_ATTEMPT where one begins:
 * attempts without any progress are then a livelock for certain, and progress is taken for none.
 */
#ifndef HEADWAY_SDT_H
#define HEADWAY_SDT_H

#define HEADWAY_PROGRESS(name)	HEADWAY_SDT_NOTE("progress_" #name)
#define HEADWAY_ATTEMPT(name)	HEADWAY_SDT_NOTE("attempt_" #name)

#if defined(__ELF__) && (defined(__GNUC__) || defined(__clang__))

#ifdef __LP64__
#define HEADWAY_SDT_ADDRESS	".8byte"
#else
#define HEADWAY_SDT_ADDRESS	".4byte"
#endif

/*
 * The note: lengths of name and description, type 3, the name, then three addresses (the no-op, the
 * base, no semaphore) and three strings (provider, probe, no arguments). Flag "?" puts it into the
 * section group of the function, if that has one (C++ inline functions), so that they are kept or
 * dropped together. The base is one byte for the whole file: readers compare where it is with where
 * it was when linked, and so correct the addresses of a file that was moved since.
 */
#define HEADWAY_SDT_NOTE(probe)						\
	__asm__ __volatile__(						\
		"771:\tnop\n"						\
		"\t.pushsection .note.stapsdt,\"?\",\"note\"\n"		\
		"\t.balign 4\n"						\
		"\t.4byte 773f-772f\n"					\
		"\t.4byte 775f-774f\n"					\
		"\t.4byte 3\n"						\
		"772:\t.asciz \"stapsdt\"\n"				\
		"773:\t.balign 4\n"					\
		"774:\t" HEADWAY_SDT_ADDRESS " 771b\n"			\
		"\t" HEADWAY_SDT_ADDRESS " _.stapsdt.base\n"		\
		"\t" HEADWAY_SDT_ADDRESS " 0\n"				\
		"\t.asciz \"headway\"\n"				\
		"\t.asciz \"" probe "\"\n"				\
		"\t.asciz \"\"\n"					\
		"775:\t.balign 4\n"					\
		"\t.popsection\n"					\
		"\t.ifndef _.stapsdt.base\n"				\
		"\t.pushsection .stapsdt.base,\"aG\",\"progbits\",.stapsdt.base,comdat\n" \
		"\t.weak _.stapsdt.base\n"				\
		"\t.hidden _.stapsdt.base\n"				\
		"_.stapsdt.base:\n"					\
		"\t.space 1\n"						\
		"\t.size _.stapsdt.base, 1\n"				\
		"\t.popsection\n"					\
		"\t.endif\n")

#else	/* another compiler or object format: the program stays as it is */

#define HEADWAY_SDT_NOTE(probe)	((void)0)

#endif

#endif /* HEADWAY_SDT_H */
