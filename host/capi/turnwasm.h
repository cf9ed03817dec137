/*
 * turnwasm: a relayed UDP socket (TURN, RFC 8656) that never leaves an
 * allocation behind without saying so.
 *
 *	turnwasm_socket s;
 *	turnwasm_config c = {.size = sizeof c, .url = "turn:turn.example.org", .username = "alice", .password = "secret"};
 *	turnwasm_error e;
 *	if (turnwasm_dial(0, &c, &s, &e) != TURNWASM_OK) {
 *		fprintf(stderr, "%s\n", e.text);
 *		turnwasm_runtime_close(0, NULL);      // waits until what the dial may have left is released
 *		return 1;
 *	}
 *
 *	turnwasm_send(s, "hello", 5, &peer, &e);
 *	int64_t n = turnwasm_recv(s, buffer, sizeof buffer, &from, 5000, &e);
 *
 *	turnwasm_closed verdict = {.size = sizeof verdict};
 *	turnwasm_close(s, 2000, &verdict, &e);    // verdict.outcome: TURNWASM_RELEASED
 *
 * Everything may be called from any thread, at the same time. Strings are UTF-8
 * and end with a zero byte; those that are given are copied before a call
 * returns, those that are answered lie in the caller's own structs. Nothing
 * that a call answers has to be freed but handles: a socket with
 * turnwasm_close, a runtime with turnwasm_runtime_close. Times are in ms.
 *
 * Whoever fills a struct with a field `size` sets it to its sizeof, and the rest
 * that he does not know to zero, which means: the default. A library that is
 * newer than the header then knows what the caller had; one that is older
 * refuses what it does not know. Structs without such a field never change.
 *
 * A call answers TURNWASM_OK or a number of TURNWASM_E_, which is negative; the
 * last argument, which may be NULL, takes the story behind it, and is left alone
 * where all went well.
 *
 * After fork() the child has no library: every call answers TURNWASM_E_FORKED.
 * The library starts threads; their signals are as README.md says.
 */
#ifndef TURNWASM_H
#define TURNWASM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Of this header; turnwasm_version() is the library's. */
#define TURNWASM_VERSION "0.1.0"

/* Handles are numbers that are never used twice: one that is stale, of another
 * kind or made up is TURNWASM_E_HANDLE. 0 is no socket, and the default runtime. */
typedef uint64_t turnwasm_runtime;
typedef uint64_t turnwasm_socket;

enum {
	TURNWASM_OK = 0,
	TURNWASM_E_HANDLE = -1,        /* closed, stale, of another kind, never given */
	TURNWASM_E_ARGUMENT = -2,      /* NULL where something is needed, a size, a URL, an option */
	TURNWASM_E_AGAIN = -3,         /* nothing is there now, and the caller did not want to wait */
	TURNWASM_E_TIMEOUT = -4,       /* it did not come in time */
	TURNWASM_E_CLOSED = -5,        /* the socket is closed, or is being closed */
	TURNWASM_E_REQUEST = -6,       /* the server, its silence or the path refused a request: see stun_code */
	TURNWASM_E_LEFT_ALONE = -7,    /* the server wants to be left alone: see retry_after_ms */
	TURNWASM_E_LOST = -8,          /* the allocation is lost */
	TURNWASM_E_TRANSPORT = -9,     /* the system: a name, a socket, a certificate */
	TURNWASM_E_NO_PERMISSION = -10,/* no permission for this peer, and none is made by sending */
	TURNWASM_E_TOO_LARGE = -11,    /* the payload */
	TURNWASM_E_QUEUE_FULL = -12,   /* too many payloads wait for the peer's permission */
	TURNWASM_E_ADDRESS = -13,      /* not a peer's address, or of a family that is not relayed */
	TURNWASM_E_LIMIT = -14,        /* too many peers, or no memory */
	TURNWASM_E_TRAPPED = -15,      /* the engine has died: close the socket */
	TURNWASM_E_FORKED = -16,       /* in a child of fork() */
	TURNWASM_E_INTERNAL = -17      /* a fault of the library's */
};

/* How a close ends. */
enum {
	TURNWASM_RELEASED = 1,           /* the server has said that the allocation is gone */
	TURNWASM_NOTHING_TO_RELEASE = 2, /* none of ours can exist */
	TURNWASM_UNCONFIRMED = 3,        /* a release was sent, no valid verdict came: see until_ms */
	TURNWASM_ABANDONED = 4,          /* no release was sent although an allocation may live: see until_ms */
	TURNWASM_HANDED_OVER = 5         /* another process has it */
};

/* The flags of turnwasm_config. */
enum {
	TURNWASM_REALLOCATE = 1 << 0,         /* allocate anew when the allocation is lost; the relayed address changes */
	TURNWASM_MOBILITY = 1 << 1,           /* move to another local address (RFC 8016), by turnwasm_rebind and by itself */
	TURNWASM_NO_AUTO_PERMISSION = 1 << 2, /* sending makes no permissions */
	TURNWASM_NO_RECLAIM = 1 << 3,         /* what an earlier run left on an explicit local port stays */
	TURNWASM_ANONYMOUS = 1 << 4,          /* never send the username where others can read it */
	TURNWASM_DONT_FRAGMENT = 1 << 5,      /* the server sets DF on what it relays */
	TURNWASM_IMPATIENT = 1 << 6           /* ask a server all the same that wants to be left alone */
};

/* A transport address. The port is in the host's byte order. */
typedef struct {
	uint8_t ip[16];  /* in network order; IPv4 in the first 4 */
	uint16_t port;
	uint8_t family;  /* 4, 6; 0: none */
	uint8_t reserved;  /* 0 */
} turnwasm_addr;

/* What went wrong. */
typedef struct {
	int32_t code;          /* TURNWASM_E_ */
	int32_t stun_code;     /* of the server's answer; 0: there was none */
	int32_t is_signed;     /* 1: the answer carried a valid MESSAGE-INTEGRITY */
	int32_t reserved;
	int64_t retry_after_ms;/* leave the server alone for so long */
	int64_t until_ms;      /* the server may hold what was left behind until then, since 1970; 0: nothing is known to be */
	char method[24];       /* "Allocate", ...; "" where it was no request */
	char text[488];        /* for people; cut where it is longer */
} turnwasm_error;

typedef struct {
	uint32_t size;
	uint32_t reserved;              /* 0 */
	uint32_t instances;             /* of the engine: 0, one for each processor */
	uint32_t clients_per_instance;  /* at most so many: 0, as many as fit */
	const char *cache_dir;          /* of the compiled module: NULL, the user's cache folder; "", none */
} turnwasm_runtime_config;

typedef struct {
	uint32_t size;
	uint32_t flags;
	const char *url;         /* turn:HOST[:PORT][?transport=tcp], turns:HOST for TLS, turns:HOST?transport=udp for DTLS */
	const char *username;    /* NULL or "": a server without authentication */
	const char *password;
	const char *local_addr;  /* "192.0.2.1", "192.0.2.1:5000", ":5000" */
	const char *server_name; /* whose certificate turns: expects, where the URL has an address */
	const char *ca_file;     /* who may vouch for it, PEM: NULL, the system's */
	const char *software;    /* NULL: "turnwasm"; "-": none */
	int64_t timeout_ms;      /* of turnwasm_dial: 0, as long as the protocol takes */
	int64_t lifetime_ms;     /* to ask for */
	int64_t linger_ms;       /* how long a runtime's close waits for the verdict: 0, 2000; negative: not */
	int64_t keepalive_ms;    /* a Binding indication so often, for NATs that forget */
	int64_t rto_ms;          /* the first retransmission time-out: 0, 500 */
	uint32_t family;         /* of the relayed address: 0, 4, 6; 46: one of each */
	uint32_t receive_queue;  /* payloads that wait: 0, 512 */
} turnwasm_config;

/* One payload of a batch. */
typedef struct {
	void *data;
	size_t length;      /* of the payload; for turnwasm_recv_many the room, each time anew, and then what of it was filled */
	turnwasm_addr peer; /* whom it goes to, or came from */
	uint32_t flags;     /* of what was received: TURNWASM_TRUNCATED; of what is sent: 0 */
} turnwasm_message;

enum { TURNWASM_TRUNCATED = 1 }; /* the payload was longer than the room: its end is lost */

typedef struct {
	uint32_t size;
	uint32_t phase;            /* 0 new, 1 allocating, 2 authenticated, 3 allocated, 4 closing, 5 closed */
	turnwasm_addr relayed;     /* what peers send to */
	turnwasm_addr additional;  /* of the other family */
	turnwasm_addr mapped;      /* where the server sees us */
	turnwasm_addr local;
	turnwasm_addr server;
	uint32_t reserved;
	int64_t lifetime_ms;       /* what the server has granted last */
} turnwasm_info;

typedef struct {
	uint32_t size;
	uint32_t reserved;
	uint64_t sent_messages, sent_bytes, received_messages, received_bytes;
	uint64_t retransmissions, payloads_sent, payloads_received, payloads_dropped;
	uint64_t ignored;         /* received, and not taken: forged, malformed, of nobody */
	uint64_t payloads_unread; /* dropped because nobody took them: receive_queue wait, and 64 more */
	uint64_t events_unread;
	int64_t round_trip_us;    /* to the server, smoothed; 0: not measured */
	int64_t rto_ms;
} turnwasm_stats;

typedef struct {
	uint32_t size;
	int32_t outcome;          /* TURNWASM_RELEASED, ... */
	int64_t reuse_after_ms;   /* how long the local port should rest before the next allocation from it */
	int64_t until_ms;         /* when the server lets go of the allocation at the latest, since 1970; 0: it holds none */
	char outcome_text[24];    /* "released", "nothing_to_release", "unconfirmed", "abandoned", "handed_over" */
	char reason[216];         /* why it is not released; "" if it is */
} turnwasm_closed;

typedef struct {
	uint32_t size;
	uint32_t kind;            /* 1 allocated, 2 allocateFailed, ...: wasm/README.md has them all; numbers never change */
	int64_t at_ms;            /* since 1970 */
	int32_t stun_code;
	int32_t is_signed;
	turnwasm_addr peer;
	turnwasm_addr relayed;
	turnwasm_addr mapped;
	uint32_t channel;
	int64_t lifetime_ms;
	int64_t retry_after_ms;
	int64_t until_ms;
	char name[32];            /* "allocated", ... */
	char method[24];
	char reason[256];
} turnwasm_event;

/* Of the library: "0.1.0". */
const char *turnwasm_version(void);

/* What a TURNWASM_E_ means, in general; never NULL. */
const char *turnwasm_strerror(int code);

/* "192.0.2.1:4000" or "[2001:db8::1]:4000" as an address, and back: text holds 64 bytes at most. */
int turnwasm_addr_parse(const char *text, turnwasm_addr *addr);
int turnwasm_addr_format(const turnwasm_addr *addr, char *text, size_t room);

/* A runtime compiles the module once and keeps its sockets in some instances of it. Few need one of their own. config may be
 * NULL. Closing one closes its sockets, each as it would be closed, within the longest linger and 3 s, and frees their
 * handles; 0 closes the default one, and the next use makes another. TURNWASM_E_REQUEST says that a server may hold
 * something until error's until_ms; all is freed none the less. No callback of its sockets is under way when it returns, and
 * their descriptors are closed. Who finds another thread at it waits for that one and answers the same. Called from a callback
 * it waits for neither. */
int turnwasm_runtime_open(const turnwasm_runtime_config *config, turnwasm_runtime *runtime, turnwasm_error *error);
int turnwasm_runtime_close(turnwasm_runtime runtime, turnwasm_error *error);

/* Allocates a relayed transport address, and answers when the server has, or has not. What one that fails, or is not done in
 * time, may have left on the server is released in the background: turnwasm_runtime_close waits for that. */
int turnwasm_dial(turnwasm_runtime runtime, const turnwasm_config *config, turnwasm_socket *socket, turnwasm_error *error);

/* Sends a payload to the peer. It makes the permission that it lacks. A queue that is full makes it wait, for as long as
 * the server takes nothing from a stream. As with every datagram socket an error may be that of a payload before: this one is
 * not sent then, and may be sent again. */
int turnwasm_send(turnwasm_socket socket, const void *data, size_t length, const turnwasm_addr *peer, turnwasm_error *error);

/* Sends payloads with few system calls, and answers how many before the first that was refused, or a TURNWASM_E_ if that is
 * the first. error tells of that alone: where some were sent it is left alone, and a call for the rest says why. */
int64_t turnwasm_send_many(turnwasm_socket socket, const turnwasm_message *messages, size_t count, turnwasm_error *error);

/* Takes the next payload, and answers its length. What does not fit is lost, as with recvfrom; 65535 bytes hold any, and
 * turnwasm_recv_many says so. from may be NULL. timeout_ms: 0 does not wait (TURNWASM_E_AGAIN), negative waits until there is
 * one or the socket is closed. The first call of this, turnwasm_fd or turnwasm_set_callback begins to take what has come
 * until then: that may not be done when it answers. */
int64_t turnwasm_recv(turnwasm_socket socket, void *data, size_t room, turnwasm_addr *from, int64_t timeout_ms, turnwasm_error *error);

/* Takes as many payloads as are there, at least one, and answers how many. */
int64_t turnwasm_recv_many(turnwasm_socket socket, turnwasm_message *messages, size_t count, int64_t timeout_ms, turnwasm_error *error);

/* A file descriptor for poll(), epoll, select(): readable while a payload waits, and at the end: the allocation is lost, or
 * the socket is being closed. The library reads it, and closes it when turnwasm_close returns, so take it out of what you
 * poll before you close. The same descriptor each time; or TURNWASM_E_. */
int turnwasm_fd(turnwasm_socket socket, turnwasm_error *error);

/* Has f called with each payload, one after the other, on a thread of the library's; f must not wait long: payloads queue
 * up, and are dropped. It must return, by no longjmp or exception. It may call everything, turnwasm_close too, after which
 * the last call is yet to come. That one has data NULL: no payload will come any more, because the socket is closed, or
 * because the allocation is lost, and then the handle is to be closed as ever. data and from are good until f returns.
 * f NULL: no more calls, the last one neither. When this returns no call of the function before is under way, and none
 * begins; unless it was called from a callback, of any socket, which waits for none. The same holds for turnwasm_close. */
typedef void (*turnwasm_on_payload)(void *user, turnwasm_socket socket, const void *data, size_t length, const turnwasm_addr *from);
int turnwasm_set_callback(turnwasm_socket socket, turnwasm_on_payload f, void *user, turnwasm_error *error);

/* Takes the next event, as turnwasm_recv takes payloads. 64 wait; then the oldest stay and the newest are dropped. The
 * descriptor is as turnwasm_fd's, readable while an event waits, and when the socket is closed. */
int turnwasm_next_event(turnwasm_socket socket, turnwasm_event *event, int64_t timeout_ms, turnwasm_error *error);
int turnwasm_event_fd(turnwasm_socket socket, turnwasm_error *error);

int turnwasm_get_info(turnwasm_socket socket, turnwasm_info *info, turnwasm_error *error);
int turnwasm_get_stats(turnwasm_socket socket, turnwasm_stats *stats, turnwasm_error *error);

/* Requests; each waits for the server's answer, timeout_ms at most (0: as long as the protocol takes). */
int turnwasm_refresh(turnwasm_socket socket, int64_t timeout_ms, turnwasm_error *error);
int turnwasm_create_permission(turnwasm_socket socket, const turnwasm_addr *peers, size_t count, int64_t timeout_ms, turnwasm_error *error);
int turnwasm_bind_channel(turnwasm_socket socket, const turnwasm_addr *peer, int64_t timeout_ms, turnwasm_error *error);
int turnwasm_remove_permission(turnwasm_socket socket, const turnwasm_addr *peer, turnwasm_error *error); /* its refreshes end */
int turnwasm_unbind_channel(turnwasm_socket socket, const turnwasm_addr *peer, turnwasm_error *error);    /* its refreshes end */
int turnwasm_rebind(turnwasm_socket socket, int64_t timeout_ms, turnwasm_error *error);

/* The next request is signed with them. A live allocation keeps its username. */
int turnwasm_set_credentials(turnwasm_socket socket, const char *username, const char *password, turnwasm_error *error);

/* Releases the allocation, waits for the server's verdict at most linger_ms, and frees the handle. Legal in every state; 0
 * or less sends one release and waits for nothing. verdict may be NULL; one of a wrong size is TURNWASM_E_ARGUMENT, and
 * the socket stays open. Whoever waits on the socket elsewhere gets TURNWASM_E_CLOSED.
 * A program that just ends releases nothing. */
int turnwasm_close(turnwasm_socket socket, int64_t linger_ms, turnwasm_closed *verdict, turnwasm_error *error);

#ifdef __cplusplus
}
#endif

#endif
