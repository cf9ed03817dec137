// The functions of turnwasm.h: what must be seen to before Go is entered, and
// the structs, of which a caller may know less, or more, than this library.

#include "turnwasm.h"
#include "_cgo_export.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

// In the child of a fork() Go's threads are not there: who enters it never
// comes back.
static volatile sig_atomic_t forked;

static void in_child(void) { forked = 1; }

__attribute__((constructor)) static void begin(void) { pthread_atfork(NULL, NULL, in_child); }

// What happens before what is Go's matter, and it sees to that; but nobody who
// looks at a program in C from outside, ThreadSanitizer say, can see it. Here it is
// said again: what was done before a callback was set, or a call of it returned,
// was done before what comes behind.
static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;

static void ordered(void)
{
	pthread_mutex_lock(&order);
	pthread_mutex_unlock(&order);
}

// This thread is in a callback of some socket's.
static __thread int telling;

void turnwasm_tell(turnwasm_on_payload f, uintptr_t user, turnwasm_socket socket, void *data, size_t length, turnwasm_addr *from)
{
	ordered();
	telling++;
	f((void *)user, socket, data, length, from);
	telling--;
	ordered();
}

const char *turnwasm_version(void) { return TURNWASM_VERSION; }

const char *turnwasm_strerror(int code)
{
	static const char *const texts[] = {
		"no error", "no such handle: it is closed, or never was", "a bad argument", "nothing is there now", "it did not come in time",
		"the socket is closed", "a request failed", "the server wants to be left alone", "the allocation is lost",
		"the system refused: a name, a socket, a certificate", "no permission for this peer", "the payload is too large",
		"too many payloads wait for the peer's permission", "not a peer's address, or of a family that is not relayed",
		"too many peers, or no memory", "the engine has died", "not in a child of fork()", "a fault of the library's",
	};

	if (code > 0 || code <= -(int)(sizeof texts / sizeof *texts))
		return "an error that this version does not know";
	return texts[-code];
}

static int refuse(turnwasm_error *error, int code, const char *text)
{
	if (error) {
		memset(error, 0, sizeof *error);
		error->code = code;
		snprintf(error->text, sizeof error->text, "%s", text ? text : turnwasm_strerror(code));
	}
	return code;
}

// ALIVE begins every function that enters Go.
#define ALIVE(error) \
	do { \
		if (forked) \
			return refuse(error, TURNWASM_E_FORKED, NULL); \
	} while (0)

#define WANT(error, what) \
	do { \
		if (!(what)) \
			return refuse(error, TURNWASM_E_ARGUMENT, #what " is NULL"); \
	} while (0)

// take reads a struct that begins with its size: that of version 1, which is the
// first, or a later one's. What the caller did not know is zero, and what we do
// not know must be.
static int take(const void *in, void *out, size_t known, turnwasm_error *error)
{
	uint32_t size;

	memset(out, 0, known);
	if (!in)
		return refuse(error, TURNWASM_E_ARGUMENT, "the configuration is NULL");
	memcpy(&size, in, sizeof size);
	if (size < known || size > 4096)
		return refuse(error, TURNWASM_E_ARGUMENT, "size is not the sizeof of the struct");
	for (size_t i = known; i < size; i++)
		if (((const unsigned char *)in)[i])
			return refuse(error, TURNWASM_E_ARGUMENT, "the struct says something that this version of the library does not know");
	memcpy(out, in, known);
	return TURNWASM_OK;
}

// room checks that a struct to be filled begins with its size.
static int room(const void *out, size_t known, turnwasm_error *error)
{
	uint32_t size;

	if (!out)
		return refuse(error, TURNWASM_E_ARGUMENT, "the struct to be filled is NULL");
	memcpy(&size, out, sizeof size);
	if (size < known || size > 4096)
		return refuse(error, TURNWASM_E_ARGUMENT, "size is not the sizeof of the struct");
	return TURNWASM_OK;
}

// give fills it; what only the caller knows is zero.
static void give(void *out, void *from, size_t known)
{
	uint32_t size;

	memcpy(&size, out, sizeof size);
	memcpy(from, &size, sizeof size);
	memset((char *)out + known, 0, size - known);
	memcpy(out, from, known);
}

int turnwasm_addr_parse(const char *text, turnwasm_addr *addr)
{
	ALIVE(NULL);
	if (!text || !addr)
		return TURNWASM_E_ARGUMENT;
	return goAddrParse((char *)text, addr);
}

int turnwasm_addr_format(const turnwasm_addr *addr, char *text, size_t size)
{
	ALIVE(NULL);
	if (!addr || !text || size == 0)
		return TURNWASM_E_ARGUMENT;
	return goAddrFormat((turnwasm_addr *)addr, text, size);
}

int turnwasm_runtime_open(const turnwasm_runtime_config *config, turnwasm_runtime *runtime, turnwasm_error *error)
{
	turnwasm_runtime_config c = {.size = sizeof c};
	int code;

	ALIVE(error);
	WANT(error, runtime);
	*runtime = 0;
	if (config && (code = take(config, &c, sizeof c, error)))
		return code;
	if (c.reserved)
		return refuse(error, TURNWASM_E_ARGUMENT, "reserved is not 0");
	return goRuntimeOpen(&c, runtime, error);
}

int turnwasm_runtime_close(turnwasm_runtime runtime, turnwasm_error *error)
{
	int code;

	ALIVE(error);
	code = goRuntimeClose(runtime, telling != 0, error);
	ordered();
	return code;
}

int turnwasm_dial(turnwasm_runtime runtime, const turnwasm_config *config, turnwasm_socket *socket, turnwasm_error *error)
{
	turnwasm_config c;
	int code;

	ALIVE(error);
	WANT(error, socket);
	*socket = 0;
	if ((code = take(config, &c, sizeof c, error)))
		return code;
	WANT(error, c.url);
	return goDial(runtime, &c, socket, error);
}

int turnwasm_send(turnwasm_socket socket, const void *data, size_t length, const turnwasm_addr *peer, turnwasm_error *error)
{
	ALIVE(error);
	WANT(error, data || length == 0);
	WANT(error, peer);
	return goSend(socket, (void *)data, length, (turnwasm_addr *)peer, error);
}

int64_t turnwasm_send_many(turnwasm_socket socket, const turnwasm_message *messages, size_t count, turnwasm_error *error)
{
	size_t good = 0;

	ALIVE(error);
	WANT(error, messages || count == 0);
	while (good < count && (messages[good].data || messages[good].length == 0))
		good++;
	WANT(error, count == 0 || good > 0 || messages[0].data);
	return goSendMany(socket, (turnwasm_message *)messages, good, error);
}

int64_t turnwasm_recv(turnwasm_socket socket, void *data, size_t length, turnwasm_addr *from, int64_t timeout_ms, turnwasm_error *error)
{
	turnwasm_message one = {.data = data, .length = length};
	int64_t n;

	ALIVE(error);
	WANT(error, data || length == 0);
	n = goReceive(socket, &one, 1, timeout_ms, error);
	if (n < 0)
		return n;
	if (from)
		*from = one.peer;
	return (int64_t)one.length;
}

int64_t turnwasm_recv_many(turnwasm_socket socket, turnwasm_message *messages, size_t count, int64_t timeout_ms, turnwasm_error *error)
{
	ALIVE(error);
	WANT(error, messages);
	if (count == 0)
		return refuse(error, TURNWASM_E_ARGUMENT, "count is 0");
	for (size_t i = 0; i < count; i++)
		WANT(error, messages[i].data || messages[i].length == 0);
	return goReceive(socket, messages, count, timeout_ms, error);
}

int turnwasm_fd(turnwasm_socket socket, turnwasm_error *error)
{
	ALIVE(error);
	return goFD(socket, 0, error);
}

int turnwasm_event_fd(turnwasm_socket socket, turnwasm_error *error)
{
	ALIVE(error);
	return goFD(socket, 1, error);
}

int turnwasm_set_callback(turnwasm_socket socket, turnwasm_on_payload f, void *user, turnwasm_error *error)
{
	int code;

	ALIVE(error);
	ordered();
	code = goSetCallback(socket, f, (uintptr_t)user, telling != 0, error);
	ordered();
	return code;
}

int turnwasm_next_event(turnwasm_socket socket, turnwasm_event *event, int64_t timeout_ms, turnwasm_error *error)
{
	turnwasm_event e;
	int code;

	ALIVE(error);
	memset(&e, 0, sizeof e);
	if ((code = room(event, sizeof e, error)) || (code = goNextEvent(socket, &e, timeout_ms, error)))
		return code;
	give(event, &e, sizeof e);
	return TURNWASM_OK;
}

int turnwasm_get_info(turnwasm_socket socket, turnwasm_info *info, turnwasm_error *error)
{
	turnwasm_info i;
	int code;

	ALIVE(error);
	memset(&i, 0, sizeof i);
	if ((code = room(info, sizeof i, error)) || (code = goInfo(socket, &i, error)))
		return code;
	give(info, &i, sizeof i);
	return TURNWASM_OK;
}

int turnwasm_get_stats(turnwasm_socket socket, turnwasm_stats *stats, turnwasm_error *error)
{
	turnwasm_stats s;
	int code;

	ALIVE(error);
	memset(&s, 0, sizeof s);
	if ((code = room(stats, sizeof s, error)) || (code = goStats(socket, &s, error)))
		return code;
	give(stats, &s, sizeof s);
	return TURNWASM_OK;
}

int turnwasm_refresh(turnwasm_socket socket, int64_t timeout_ms, turnwasm_error *error)
{
	ALIVE(error);
	return goRefresh(socket, timeout_ms, error);
}

int turnwasm_create_permission(turnwasm_socket socket, const turnwasm_addr *peers, size_t count, int64_t timeout_ms, turnwasm_error *error)
{
	ALIVE(error);
	WANT(error, peers);
	if (count == 0 || count > 65535)
		return refuse(error, TURNWASM_E_ARGUMENT, "count is not in 1..65535");
	return goPermit(socket, (turnwasm_addr *)peers, count, timeout_ms, error);
}

int turnwasm_bind_channel(turnwasm_socket socket, const turnwasm_addr *peer, int64_t timeout_ms, turnwasm_error *error)
{
	ALIVE(error);
	WANT(error, peer);
	return goBind(socket, (turnwasm_addr *)peer, timeout_ms, error);
}

int turnwasm_remove_permission(turnwasm_socket socket, const turnwasm_addr *peer, turnwasm_error *error)
{
	ALIVE(error);
	WANT(error, peer);
	return goForbid(socket, (turnwasm_addr *)peer, error);
}

int turnwasm_unbind_channel(turnwasm_socket socket, const turnwasm_addr *peer, turnwasm_error *error)
{
	ALIVE(error);
	WANT(error, peer);
	return goUnbind(socket, (turnwasm_addr *)peer, error);
}

int turnwasm_rebind(turnwasm_socket socket, int64_t timeout_ms, turnwasm_error *error)
{
	ALIVE(error);
	return goRebind(socket, timeout_ms, error);
}

int turnwasm_set_credentials(turnwasm_socket socket, const char *username, const char *password, turnwasm_error *error)
{
	ALIVE(error);
	WANT(error, username);
	WANT(error, password);
	return goSetCredentials(socket, (char *)username, (char *)password, error);
}

int turnwasm_close(turnwasm_socket socket, int64_t linger_ms, turnwasm_closed *verdict, turnwasm_error *error)
{
	turnwasm_closed v;
	int code;

	ALIVE(error);
	memset(&v, 0, sizeof v);
	if (verdict && (code = room(verdict, sizeof v, error)))
		return code;
	code = goClose(socket, linger_ms, telling != 0, &v, error);
	ordered();
	if (code)
		return code;
	if (verdict)
		give(verdict, &v, sizeof v);
	return TURNWASM_OK;
}
