// SPDX-License-Identifier: GPL-2.0
/*
 * sourceline.c - functions, inlined ones too, and source lines of an address, from DWARF.
 *
 * The index by address (.debug_aranges) that libdwfl looks into is optional: Go and clang leave it
 * out. Then every compilation unit is asked, which only findings pay for.
 */
#include "sourceline.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <stdlib.h>
#include <string.h>

static Dwarf_Die *unit_of(Dwfl_Module *mod, Dwarf_Addr addr, Dwarf_Addr *bias)
{
	Dwarf_Die *cu = dwfl_module_addrdie(mod, addr, bias);

	if (cu)
		return cu;
	while ((cu = dwfl_module_nextcu(mod, cu, bias)))
		if (dwarf_haspc(cu, addr - *bias) == 1)
			return cu;
	return NULL;
}

static const char *base_name(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	return slash ? slash + 1 : path;
}

static const char *name_of(Dwarf_Die *die)
{
	Dwarf_Attribute attr;
	const char *name = NULL;

	if (dwarf_attr_integrate(die, DW_AT_linkage_name, &attr) ||
	    dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &attr))
		name = dwarf_formstring(&attr);
	return name ? name : dwarf_diename(die);
}

/* Where an inlined function was called from. */
static void call_site(Dwarf_Die *cu, Dwarf_Die *die, struct headway_source *out)
{
	Dwarf_Attribute attr;
	Dwarf_Files *files;
	Dwarf_Word number;
	size_t nr;

	if (!dwarf_formudata(dwarf_attr(die, DW_AT_call_line, &attr), &number) && number < 1u << 30)
		out->line = (int)number;
	if (!dwarf_formudata(dwarf_attr(die, DW_AT_call_file, &attr), &number) &&
	    !dwarf_getsrcfiles(cu, &files, &nr) && number < nr)
		out->file = base_name(dwarf_filesrc(files, number, NULL, NULL));
}

static void line_of(Dwarf_Die *cu, Dwarf_Addr addr, struct headway_source *out)
{
	Dwarf_Line *line = dwarf_getsrc_die(cu, addr);

	if (!line)
		return;
	dwarf_lineno(line, &out->line);
	out->file = base_name(dwarf_linesrc(line, NULL, NULL));
}

/* The scopes of the code itself: dwarf_getscopes() goes on where an inlined one was written. */
static int scopes_of(Dwarf_Die *cu, Dwarf_Addr addr, Dwarf_Die **scopes)
{
	Dwarf_Die *first;
	int n = dwarf_getscopes(cu, addr, &first);

	*scopes = NULL;
	if (n <= 0)
		return 0;
	n = dwarf_getscopes_die(&first[0], scopes);
	free(first);
	return n < 0 ? 0 : n;
}

int headway_source_frames(Dwfl_Module *mod, uint64_t addr, struct headway_source *out, int max)
{
	Dwarf_Addr bias;
	Dwarf_Die *cu = unit_of(mod, addr, &bias), *scopes;
	int nr = 0, n;

	if (!cu || max < 1)
		return 0;
	memset(out, 0, (size_t)max * sizeof(*out));
	line_of(cu, addr - bias, &out[0]);
	n = scopes_of(cu, addr - bias, &scopes);
	for (int i = 0; i < n && nr < max; i++) {
		int tag = dwarf_tag(&scopes[i]);

		if (tag != DW_TAG_inlined_subroutine && tag != DW_TAG_subprogram)
			continue;
		out[nr++].function = name_of(&scopes[i]);
		if (tag == DW_TAG_subprogram)
			break;
		if (nr < max)
			call_site(cu, &scopes[i], &out[nr]);
	}
	free(scopes);
	return nr ? nr : 1;
}
