/* What the parts of the quickstart share. */
#ifndef QUICKSTART_H
#define QUICKSTART_H

#include "turnwasm.h"

struct options {
	const char *server, *username, *password, *peer;
	int count;
};

int check(const struct options *o);
int leaks(const struct options *o);
int bad_input(void);

double now_ms(void);
double cpu_us(void);
long resident_kb(void);
turnwasm_config config_of(const struct options *o);
void print_text(const char *key, const char *text);
int failed(const turnwasm_error *e);

#endif
