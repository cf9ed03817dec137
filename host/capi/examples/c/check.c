/* Allocate, echo, release. */
#include "quickstart.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = 100, UNDER_WAY = 32, PATIENCE_MS = 1000 };

/* What became of each payload. */
struct echoes {
	turnwasm_socket socket;
	turnwasm_addr peer;
	int count, sent, back;
	char *seen;
	double *at, *trips;
};

static int send_one(struct echoes *c, int number, turnwasm_error *e)
{
	char payload[SIZE] = {0};

	memcpy(payload, &number, sizeof number);
	c->at[number] = now_ms();
	return turnwasm_send(c->socket, payload, sizeof payload, &c->peer, e);
}

/* Takes one, and answers 0 when none came in time. */
static int receive_one(struct echoes *c, turnwasm_error *e)
{
	char payload[SIZE + 1];
	int number;
	int64_t n = turnwasm_recv(c->socket, payload, sizeof payload, NULL, PATIENCE_MS, e);

	if (n == TURNWASM_E_TIMEOUT)
		return 0;
	if (n < 0)
		return (int)n;
	memcpy(&number, payload, sizeof number);
	if (n != SIZE || number < 0 || number >= c->count || c->seen[number])
		return 1; /* not ours, or twice */
	c->seen[number] = 1;
	c->trips[c->back++] = now_ms() - c->at[number];
	return 1;
}

/* The second round is for what was lost in the first. */
static int round_of_echoes(struct echoes *c, turnwasm_error *e)
{
	int under_way = 0;

	for (int next = 0; next < c->count || under_way > 0;) {
		int code;

		while (next < c->count && under_way < UNDER_WAY) {
			if (!c->seen[next]) {
				if ((code = send_one(c, next, e)))
					return code;
				c->sent++;
				under_way++;
			}
			next++;
		}
		if (under_way == 0)
			break;
		if ((code = receive_one(c, e)) < 0)
			return code;
		under_way = code ? under_way - 1 : 0;
	}
	return TURNWASM_OK;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int echo(struct echoes *c, turnwasm_error *e)
{
	int code = round_of_echoes(c, e);

	if (!code && c->back < c->count)
		code = round_of_echoes(c, e);
	qsort(c->trips, c->back, sizeof *c->trips, ascending);
	printf("{\"event\":\"echoed\",\"sent\":%d,\"received\":%d,\"rttMs\":{\"p50\":%.3f,\"p99\":%.3f}}\n", c->count, c->back,
	       c->back ? c->trips[c->back / 2] : 0, c->back ? c->trips[c->back * 99 / 100] : 0);
	return code;
}

/* What does not fit is lost, and said to be. */
static int short_buffer(struct echoes *c, turnwasm_error *e)
{
	char payload[SIZE] = "longer than the room", room[10];
	turnwasm_message in = {.data = room};
	int64_t n = TURNWASM_E_TIMEOUT;

	for (int tries = 0; tries < 5 && n == TURNWASM_E_TIMEOUT; tries++) {
		int code = turnwasm_send(c->socket, payload, sizeof payload, &c->peer, e);

		if (code)
			return code;
		in.length = sizeof room;
		n = turnwasm_recv_many(c->socket, &in, 1, PATIENCE_MS, e);
	}
	if (n < 0)
		return (int)n;
	if (in.length == sizeof room && in.flags == TURNWASM_TRUNCATED && !memcmp(room, payload, sizeof room))
		return TURNWASM_OK;
	snprintf(e->text, sizeof e->text, "%zu bytes in a room of %zu, flags %u", in.length, sizeof room, in.flags);
	return TURNWASM_E_INTERNAL;
}

/* Of a batch what comes before the first that cannot be sent is sent. */
static int part_of_a_batch(struct echoes *c, turnwasm_error *e)
{
	turnwasm_addr nobody = {0};
	turnwasm_message bad[][3] = {
		{{.data = "x", .length = 1, .peer = c->peer}, {.data = "x", .length = 1, .peer = nobody}, {.data = "x", .length = 1, .peer = c->peer}},
		{{.data = "x", .length = 1, .peer = c->peer}, {.data = NULL, .length = 1, .peer = c->peer}, {.data = "x", .length = 1, .peer = c->peer}},
	};
	int codes[] = {TURNWASM_E_ADDRESS, TURNWASM_E_ARGUMENT};

	for (int i = 0; i < 2; i++) {
		int64_t n = turnwasm_send_many(c->socket, bad[i], 3, e), rest = turnwasm_send_many(c->socket, &bad[i][1], 2, e);

		if (n == 1 && rest == codes[i] && e->code == codes[i])
			continue;
		snprintf(e->text, sizeof e->text, "%lld of a batch were sent, and %lld of its rest", (long long)n, (long long)rest);
		return TURNWASM_E_INTERNAL;
	}
	return TURNWASM_OK;
}

/* A verdict that does not fit closes nothing. */
static int short_verdict(struct echoes *c, turnwasm_error *e)
{
	turnwasm_closed verdict = {.size = 8};
	turnwasm_info info = {.size = sizeof info};
	int code = turnwasm_close(c->socket, 0, &verdict, e);

	if (code == TURNWASM_E_ARGUMENT)
		return turnwasm_get_info(c->socket, &info, e);
	snprintf(e->text, sizeof e->text, "a verdict of 8 bytes: %d", code);
	return TURNWASM_E_INTERNAL;
}

/* Allowed and bound, and let go. */
static int come_and_go(struct echoes *c, turnwasm_error *e)
{
	int code;

	if ((code = turnwasm_create_permission(c->socket, &c->peer, 1, 0, e)) || (code = turnwasm_bind_channel(c->socket, &c->peer, 0, e)) ||
	    (code = turnwasm_unbind_channel(c->socket, &c->peer, e)) || (code = turnwasm_remove_permission(c->socket, &c->peer, e)))
		return code;
	return TURNWASM_OK;
}

static void print_allocated(turnwasm_socket socket, double took)
{
	turnwasm_info info = {.size = sizeof info};
	char relayed[64] = "", mapped[64] = "";

	turnwasm_get_info(socket, &info, NULL);
	turnwasm_addr_format(&info.relayed, relayed, sizeof relayed);
	turnwasm_addr_format(&info.mapped, mapped, sizeof mapped);
	printf("{\"event\":\"allocated\",\"relayed\":\"%s\",\"mapped\":\"%s\",\"lifetime\":%lld,\"ms\":%.1f}\n", relayed, mapped,
	       (long long)info.lifetime_ms / 1000, took);
}

/* Closes, and answers whether the server holds nothing of ours. */
static int finish(turnwasm_socket socket)
{
	turnwasm_closed verdict = {.size = sizeof verdict};
	turnwasm_error e;
	double begun = now_ms();

	if (turnwasm_close(socket, 2000, &verdict, &e))
		return failed(&e);
	printf("{\"event\":\"closed\",\"outcome\":\"%s\"", verdict.outcome_text);
	print_text("reason", verdict.reason);
	printf(",\"reuseAfterMs\":%lld,\"ms\":%.1f}\n", (long long)verdict.reuse_after_ms, now_ms() - begun);
	return verdict.outcome == TURNWASM_RELEASED ? 0 : 1;
}

/* Another socket, in a runtime of its own: what a start costs when the module was compiled before. */
static double warm(const turnwasm_config *config)
{
	turnwasm_runtime runtime;
	turnwasm_socket socket;
	double begun = now_ms(), took;

	if (turnwasm_runtime_open(NULL, &runtime, NULL))
		return -1;
	took = turnwasm_dial(runtime, config, &socket, NULL) ? -1 : now_ms() - begun;
	turnwasm_runtime_close(runtime, NULL);
	return took;
}

int check(const struct options *o)
{
	double start = now_ms(), cold, before, each;
	turnwasm_config config = config_of(o);
	turnwasm_runtime_config fresh = {.size = sizeof fresh, .cache_dir = ""};
	turnwasm_runtime runtime;
	struct echoes c = {.count = o->count};
	turnwasm_error e;
	int bad;

	if (turnwasm_addr_parse(o->peer, &c.peer)) {
		fprintf(stderr, "quickstart: %s is not HOST:PORT\n", o->peer);
		return 2;
	}
	if (turnwasm_runtime_open(&fresh, &runtime, &e))
		return failed(&e);
	if (turnwasm_dial(runtime, &config, &c.socket, &e)) {
		turnwasm_runtime_close(runtime, NULL); /* waits until what it may have left is released */
		return failed(&e);
	}
	cold = now_ms() - start;
	print_allocated(c.socket, cold);
	c.seen = calloc(c.count, 1);
	c.at = calloc(c.count, sizeof *c.at);
	c.trips = calloc(c.count, sizeof *c.trips);
	before = cpu_us();
	bad = echo(&c, &e) ? failed(&e) : c.back < c.count;
	each = (cpu_us() - before) / (2.0 * c.count);
	if (!bad && (short_buffer(&c, &e) || part_of_a_batch(&c, &e) || short_verdict(&c, &e) || come_and_go(&c, &e)))
		bad = failed(&e);
	bad |= finish(c.socket);
	free(c.seen);
	free(c.at);
	free(c.trips);
	turnwasm_runtime_close(runtime, NULL);
	printf("{\"type\":\"figures\",\"cold_ms\":%.1f,\"warm_ms\":%.1f,\"rss_kb\":%ld,\"us_per_packet\":%.1f}\n", cold, warm(&config), resident_kb(), each);
	return bad;
}
