/* A thousand sockets in one runtime, then twenty runtimes: memory does not grow. */
#include "quickstart.h"

#include <limits.h>
#include <stdio.h>

enum { SOCKETS = 1000, RUNTIMES = 20, IN_EACH = 10 };

/* What the second half may have more than the first, in KiB: Go's collector comes and goes, so of many runtimes the floors are
 * compared: what leaks raises them. */
enum { SLACK_KB = 24 << 10 };

static int one(turnwasm_runtime runtime, const turnwasm_config *config, turnwasm_error *e)
{
	turnwasm_closed verdict = {.size = sizeof verdict};
	turnwasm_socket socket;
	int code = turnwasm_dial(runtime, config, &socket, e);

	if (!code)
		code = turnwasm_close(socket, 2000, &verdict, e);
	if (!code && verdict.outcome != TURNWASM_RELEASED) {
		snprintf(e->text, sizeof e->text, "%s %s", verdict.outcome_text, verdict.reason);
		code = TURNWASM_E_INTERNAL;
	}
	return code;
}

int leaks(const struct options *o)
{
	turnwasm_config config = config_of(o);
	turnwasm_runtime runtime;
	turnwasm_error e;
	long half = 0, whole = 0, floors[2] = {LONG_MAX, LONG_MAX};

	config.rto_ms = 100;
	if (turnwasm_runtime_open(NULL, &runtime, &e))
		return failed(&e);
	for (int i = 0; i < SOCKETS; i++) {
		if (one(runtime, &config, &e))
			return failed(&e);
		if (i == SOCKETS / 2)
			half = resident_kb();
	}
	whole = resident_kb();
	if (turnwasm_runtime_close(runtime, &e))
		return failed(&e);
	for (int i = 0; i < RUNTIMES; i++) {
		if (turnwasm_runtime_open(NULL, &runtime, &e))
			return failed(&e);
		for (int k = 0; k < IN_EACH; k++)
			if (one(runtime, &config, &e))
				return failed(&e);
		if (turnwasm_runtime_close(runtime, &e))
			return failed(&e);
		long *floor = &floors[i >= RUNTIMES / 2], now = resident_kb();

		*floor = now < *floor ? now : *floor;
	}
	printf("{\"type\":\"leaks\",\"sockets\":%d,\"half_kb\":%ld,\"whole_kb\":%ld,\"runtimes\":%d,\"halfway_kb\":%ld,\"end_kb\":%ld}\n", SOCKETS, half, whole,
	       RUNTIMES, floors[0], floors[1]);
	if (whole > half + SLACK_KB || floors[1] > floors[0] + SLACK_KB) {
		fprintf(stderr, "quickstart: memory grows\n");
		return 1;
	}
	return 0;
}
