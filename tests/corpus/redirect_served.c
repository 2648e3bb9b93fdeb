// SPDX-License-Identifier: GPL-2.0
/* Healthy twin of redirect_loop: the second balancer serves what the first one sends. */
#include "redirect.h"

int main(void)
{
	return redirect_main();
}
