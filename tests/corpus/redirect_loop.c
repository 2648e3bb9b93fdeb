// SPDX-License-Identifier: GPL-2.0
/* Livelock between two load balancers that send every request to each other. See redirect.h. */
#define REDIRECT_LOOPS

#include "redirect.h"

int main(void)
{
	return redirect_main();
}
