/*
 * Eight threads that send, receive, ask and close, all at once, on one socket
 * and on sockets of their own.
 *
 *	threads turn:HOST USERNAME PASSWORD HOST:PORT
 */
#include "turnwasm.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { THREADS = 8, ROUNDS = 200 };

static turnwasm_config config;
static turnwasm_addr peer;
static turnwasm_socket shared;
static atomic_int back, wrong, told;

static void wrongly(const char *what, int64_t code, const turnwasm_error *e)
{
	fprintf(stderr, "threads: %s: %lld %s\n", what, (long long)code, e->text);
	wrong = 1;
}

/* What a call may answer on a socket that another thread closes. */
static int over(const char *what, int64_t code, const turnwasm_error *e)
{
	if (code >= 0 || code == TURNWASM_E_TIMEOUT || code == TURNWASM_E_AGAIN || code == TURNWASM_E_QUEUE_FULL)
		return 0;
	if (code != TURNWASM_E_CLOSED && code != TURNWASM_E_HANDLE)
		wrongly(what, code, e);
	return 1;
}

static void on_payload(void *user, turnwasm_socket socket, const void *data, size_t length, const turnwasm_addr *from)
{
	atomic_int *own = user;

	(void)socket;
	if (!data)
		told++; /* the end */
	else if (length == 5 && from->port == peer.port)
		(*own)++;
}

/* A socket of its own, with a callback, closed while it is at work. */
static void alone(int number)
{
	atomic_int came = 0;
	turnwasm_socket s;
	turnwasm_error e;
	turnwasm_closed v = {.size = sizeof v};
	int64_t code;

	if ((code = turnwasm_dial(0, &config, &s, &e)) || (code = turnwasm_set_callback(s, on_payload, &came, &e))) {
		wrongly("dial", code, &e);
		return;
	}
	for (int i = 0; i < ROUNDS && !over("send", turnwasm_send(s, "alone", 5, &peer, &e), &e); i++)
		;
	if ((code = turnwasm_close(s, 2000, &v, &e)) || v.outcome != TURNWASM_RELEASED)
		wrongly("close", code ? code : v.outcome, &e);
	back += came;
	if (number == 0 && (code = turnwasm_close(s, 0, &v, &e)) != TURNWASM_E_HANDLE)
		wrongly("a second close", code, &e);
}

static void *work(void *arg)
{
	int number = *(int *)arg;
	turnwasm_error e;
	turnwasm_stats stats = {.size = sizeof stats};
	turnwasm_event event = {.size = sizeof event};
	char b[64];

	for (int i = 0; i < ROUNDS; i++) {
		if (over("send", turnwasm_send(shared, "hello", 5, &peer, &e), &e) ||
		    over("recv", turnwasm_recv(shared, b, sizeof b, NULL, i % 3 ? 0 : 5, &e), &e) ||
		    over("stats", turnwasm_get_stats(shared, &stats, &e), &e) ||
		    over("event", turnwasm_next_event(shared, &event, 0, &e), &e) || over("fd", turnwasm_fd(shared, &e), &e))
			break;
		if (number == 7 && i == ROUNDS / 2)
			over("close", turnwasm_close(shared, 2000, NULL, &e), &e);
	}
	alone(number);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS];
	int numbers[THREADS];
	turnwasm_error e = {0};

	if (argc != 5 || turnwasm_addr_parse(argv[4], &peer)) {
		fprintf(stderr, "usage: threads turn:HOST USERNAME PASSWORD HOST:PORT\n");
		return 2;
	}
	config = (turnwasm_config){.size = sizeof config, .url = argv[1], .username = argv[2], .password = argv[3], .timeout_ms = 60000};
	if (turnwasm_dial(0, &config, &shared, &e)) {
		fprintf(stderr, "threads: %s\n", e.text);
		return 1;
	}
	for (int i = 0; i < THREADS; i++) {
		numbers[i] = i;
		pthread_create(&threads[i], NULL, work, &numbers[i]);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	if (turnwasm_runtime_close(0, &e))
		wrongly("the runtime's close", e.code, &e);
	if (told != THREADS)
		wrongly("ends that callbacks heard of", told, &e);
	printf("{\"type\":\"threads\",\"threads\":%d,\"back\":%d}\n", THREADS, (int)back);
	return wrong;
}
