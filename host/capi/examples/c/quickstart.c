/*
 * A relayed socket in C, checked: allocate, send payloads to a peer that sends
 * them back, release. It prints what turnclient prints, as JSON lines.
 *
 *	quickstart check -server turn:HOST -username U -password P -peer HOST:PORT -count N
 *	quickstart leaks -server turn:HOST -username U -password P
 *	quickstart bad-input
 */
#include "quickstart.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* For the test of the test: nobody knows where it is afterwards. */
static void plant_a_leak(void)
{
	volatile char *leak = malloc(4711);

	*leak = 1;
}

int main(int argc, char **argv)
{
	struct options o = {.count = 1000};
	int known = 1;

	if (getenv("PLANT_A_LEAK"))
		plant_a_leak();
	for (int i = 2; known && i < argc; i += 2) {
		const char *value = i + 1 < argc ? argv[i + 1] : NULL;

		if (!value)
			known = 0;
		else if (!strcmp(argv[i], "-server"))
			o.server = value;
		else if (!strcmp(argv[i], "-username"))
			o.username = value;
		else if (!strcmp(argv[i], "-password"))
			o.password = value;
		else if (!strcmp(argv[i], "-peer"))
			o.peer = value;
		else if (!strcmp(argv[i], "-count"))
			o.count = atoi(value);
		else
			known = 0;
	}
	if (known && argc > 1 && !strcmp(argv[1], "check") && o.server && o.peer && o.count > 0)
		return check(&o);
	if (known && argc > 1 && !strcmp(argv[1], "leaks") && o.server)
		return leaks(&o);
	if (known && argc > 1 && !strcmp(argv[1], "bad-input"))
		return bad_input();
	fprintf(stderr, "usage: quickstart check|leaks|bad-input [-server URI -username U -password P -peer HOST:PORT -count N]\n");
	return 2;
}
