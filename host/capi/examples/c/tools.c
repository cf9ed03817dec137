/* What has nothing to do with TURN. */
#define _GNU_SOURCE
#include "quickstart.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

double cpu_us(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 + u.ru_utime.tv_usec + u.ru_stime.tv_usec;
}

long resident_kb(void)
{
	char line[256];
	long kb = 0;
	FILE *f = fopen("/proc/self/status", "r");

	while (f && fgets(line, sizeof line, f))
		sscanf(line, "VmRSS: %ld", &kb);
	if (f)
		fclose(f);
	return kb;
}

turnwasm_config config_of(const struct options *o)
{
	return (turnwasm_config){
		.size = sizeof(turnwasm_config), .url = o->server, .username = o->username, .password = o->password, .timeout_ms = 60000,
	};
}

/* A text as JSON has it. */
void print_text(const char *key, const char *text)
{
	printf(",\"%s\":\"", key);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			printf("\\%c", *text);
		else if ((unsigned char)*text < ' ')
			printf("\\u%04x", *text);
		else
			putchar(*text);
	}
	putchar('"');
}

int failed(const turnwasm_error *e)
{
	printf("{\"event\":\"failed\",\"code\":%d", e->stun_code);
	print_text("method", e->method);
	print_text("reason", e->text);
	printf("}\n");
	fprintf(stderr, "quickstart: %s\n", e->text);
	return 1;
}
