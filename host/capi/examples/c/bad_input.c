/* What no caller should do, and what becomes of it: a code and a text. */
#define _GNU_SOURCE
#include "quickstart.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int wrong;

static void want(const char *name, int64_t got, int expected, const turnwasm_error *e)
{
	printf("{\"type\":\"bad-input\",\"case\":\"%s\",\"code\":%lld", name, (long long)got);
	print_text("text", e && e->text[0] ? e->text : turnwasm_strerror((int)got));
	printf("}\n");
	if (got != expected || (e && e->code != expected)) {
		fprintf(stderr, "quickstart: %s: %lld, want %d\n", name, (long long)got, expected);
		wrong = 1;
	}
}

static void handles(void)
{
	turnwasm_addr peer = {.family = 4, .ip = {127, 0, 0, 1}, .port = 9};
	turnwasm_info info = {.size = sizeof info};
	turnwasm_stats stats = {.size = sizeof stats};
	turnwasm_event event = {.size = sizeof event};
	turnwasm_runtime_config reserved = {.size = sizeof reserved, .reserved = 1};
	turnwasm_runtime runtime;
	turnwasm_error e;
	char b[8];

	want("no socket", turnwasm_send(0, "x", 1, &peer, &e), TURNWASM_E_HANDLE, &e);
	want("a socket that never was", turnwasm_recv(987654321, b, sizeof b, NULL, 0, &e), TURNWASM_E_HANDLE, &e);
	want("info of nobody", turnwasm_get_info(5, &info, &e), TURNWASM_E_HANDLE, &e);
	want("stats of nobody", turnwasm_get_stats(5, &stats, &e), TURNWASM_E_HANDLE, &e);
	want("an event of nobody", turnwasm_next_event(5, &event, 0, &e), TURNWASM_E_HANDLE, &e);
	want("the descriptor of nobody", turnwasm_fd(5, &e), TURNWASM_E_HANDLE, &e);
	want("a callback of nobody", turnwasm_set_callback(5, NULL, NULL, &e), TURNWASM_E_HANDLE, &e);
	want("closing nobody", turnwasm_close(5, 0, NULL, &e), TURNWASM_E_HANDLE, &e);
	event.size = 8;
	want("an event that does not fit", turnwasm_next_event(5, &event, 0, &e), TURNWASM_E_ARGUMENT, &e);
	want("a permission that was nobody's", turnwasm_remove_permission(5, &peer, &e), TURNWASM_E_HANDLE, &e);
	want("a channel to NULL", turnwasm_unbind_channel(5, NULL, &e), TURNWASM_E_ARGUMENT, &e);
	want("more peers than there can be", turnwasm_create_permission(5, &peer, SIZE_MAX, 0, &e), TURNWASM_E_ARGUMENT, &e);
	want("refreshing nobody, and nobody to tell", turnwasm_refresh(5, 0, NULL), TURNWASM_E_HANDLE, NULL);
	want("a runtime of the future", turnwasm_runtime_open(&reserved, &runtime, &e), TURNWASM_E_ARGUMENT, &e);
	turnwasm_runtime_open(NULL, &runtime, &e);
	want("a runtime as a socket", turnwasm_close(runtime, 0, NULL, &e), TURNWASM_E_HANDLE, &e);
	want("a runtime that closes", turnwasm_runtime_close(runtime, &e), TURNWASM_OK, NULL);
	want("a runtime that is closed", turnwasm_runtime_close(runtime, &e), TURNWASM_E_HANDLE, &e);
}

static void configs(void)
{
	struct {
		turnwasm_config config;
		char later[64];
	} long_one = {.config = {.size = sizeof long_one, .url = "turn:127.0.0.1"}};
	turnwasm_config c = {.size = sizeof c, .url = "turn:127.0.0.1"};
	turnwasm_socket s;
	turnwasm_error e;

	want("no configuration", turnwasm_dial(0, NULL, &s, &e), TURNWASM_E_ARGUMENT, &e);
	want("nowhere to put the socket", turnwasm_dial(0, &c, NULL, &e), TURNWASM_E_ARGUMENT, &e);
	c.size = 0;
	want("no size", turnwasm_dial(0, &c, &s, &e), TURNWASM_E_ARGUMENT, &e);
	c.size = 8;
	want("a size without the URL", turnwasm_dial(0, &c, &s, &e), TURNWASM_E_ARGUMENT, &e);
	c.size = 20;
	want("a size that ends in a pointer", turnwasm_dial(0, &c, &s, &e), TURNWASM_E_ARGUMENT, &e);
	long_one.later[9] = 1;
	want("a later version's struct", turnwasm_dial(0, &long_one.config, &s, &e), TURNWASM_E_ARGUMENT, &e);
	c = (turnwasm_config){.size = sizeof c, .url = "http://127.0.0.1"};
	want("not a TURN URI", turnwasm_dial(0, &c, &s, &e), TURNWASM_E_ARGUMENT, &e);
	c = (turnwasm_config){.size = sizeof c, .url = "turn:127.0.0.1", .username = "alice"};
	want("a username without a password", turnwasm_dial(0, &c, &s, &e), TURNWASM_E_ARGUMENT, &e);
	c = (turnwasm_config){.size = sizeof c, .url = "turn:127.0.0.1", .family = 5};
	want("a family that is none", turnwasm_dial(0, &c, &s, &e), TURNWASM_E_ARGUMENT, &e);
	c = (turnwasm_config){.size = sizeof c, .url = "turn:127.0.0.1", .flags = 1u << 31};
	want("a flag that is none", turnwasm_dial(0, &c, &s, &e), TURNWASM_E_ARGUMENT, &e);
	c = (turnwasm_config){.size = sizeof c, .url = "turn:127.0.0.1", .timeout_ms = -1};
	want("a negative time", turnwasm_dial(0, &c, &s, &e), TURNWASM_E_ARGUMENT, &e);
	c = (turnwasm_config){.size = sizeof c, .url = "turn:127.0.0.1:1", .username = "u", .password = "p", .timeout_ms = 5000};
	want("nobody there", turnwasm_dial(0, &c, &s, &e), TURNWASM_E_REQUEST, &e);
	c.url = "turns:127.0.0.1:1";
	c.server_name = "x.test";
	c.ca_file = "/nowhere.pem";
	want("no such file", turnwasm_dial(0, &c, &s, &e), TURNWASM_E_TRANSPORT, &e);
	want("no such runtime", turnwasm_dial(4711, &c, &s, &e), TURNWASM_E_HANDLE, &e);
}

static void addresses(void)
{
	turnwasm_addr a = {0};
	char text[64], small[8];

	want("not an address", turnwasm_addr_parse("localhost:1", &a), TURNWASM_E_ARGUMENT, NULL);
	want("NULL is not an address", turnwasm_addr_parse(NULL, &a), TURNWASM_E_ARGUMENT, NULL);
	want("no address to format", turnwasm_addr_format(&a, text, sizeof text), TURNWASM_E_ADDRESS, NULL);
	turnwasm_addr_parse("[2001:db8::1]:4000", &a);
	want("too little room", turnwasm_addr_format(&a, small, sizeof small), TURNWASM_E_ARGUMENT, NULL);
	want("an address", turnwasm_addr_format(&a, text, sizeof text), TURNWASM_OK, NULL);
	if (strcmp(text, "[2001:db8::1]:4000")) {
		fprintf(stderr, "quickstart: the address came back as %s\n", text);
		wrong = 1;
	}
}

static void codes(void)
{
	if (!strstr(turnwasm_strerror(INT_MIN), "not know") || !strstr(turnwasm_strerror(1), "not know") || strcmp(turnwasm_version(), TURNWASM_VERSION)) {
		fprintf(stderr, "quickstart: codes that are none, or another version\n");
		wrong = 1;
	}
}

/* The child says by its exit status what it was told. */
static void in_a_child(void)
{
	turnwasm_error e;
	int status = 0;
	pid_t child;

	fflush(stdout);
	if ((child = fork()) == 0)
		_exit(turnwasm_runtime_close(0, &e) == TURNWASM_E_FORKED && e.code == TURNWASM_E_FORKED ? 0 : 1);
	waitpid(child, &status, 0);
	want("in a child of fork", WIFEXITED(status) && WEXITSTATUS(status) == 0 ? TURNWASM_E_FORKED : 0, TURNWASM_E_FORKED, NULL);
}

int bad_input(void)
{
	handles();
	configs();
	addresses();
	codes();
	in_a_child();
	turnwasm_runtime_close(0, NULL);
	return wrong;
}
