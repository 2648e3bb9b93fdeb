# SPDX-License-Identifier: GPL-2.0
# Included by kmod/Kbuild and by that of the KUnit suites. Facts about the kernel, asked from its own
# compiler with its own flags and from its list of exported symbols;
# compat.h turns them into names. Nothing is asked while cleaning, when there are no flags.
ifneq ($(KBUILD_CFLAGS),)
headway-facts := $(shell sh $(dir $(lastword $(MAKEFILE_LIST)))compat-probe.sh \
	$(objtree)/Module.symvers $(CC) $(NOSTDINC_FLAGS) $(LINUXINCLUDE) $(KBUILD_CPPFLAGS) $(KBUILD_CFLAGS) $(KBUILD_CFLAGS_MODULE) -DMODULE \
	'-DKBUILD_MODNAME="headway"' '-DKBUILD_BASENAME="probe"')
ccflags-y += $(headway-facts)
endif
