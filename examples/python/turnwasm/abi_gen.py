# Generated from wasm/abi, client and host by wasm/internal/gen ("make gen"). Do not edit.

VERSION = 1
MAGIC = 1314018644
HEADER_SIZE = 128
DESC_SIZE = 64
HEADROOM = 64
TAILROOM = 4
SEED_SIZE = 32

# Where the header's live fields lie.
HEAD_NEXT = 64
HEAD_PENDING = 72
HEAD_CONSUMED = 76
HEAD_ERROR_LEN = 80
HEAD_CLIENTS = 84
HEAD_MOST = 88
HEAD_MEMORY = 92

# Where a descriptor's fields lie.
DESC_CLIENT = 0
DESC_KIND = 4
DESC_FAMILY = 5
DESC_PORT = 6
DESC_FLOW = 8
DESC_PEER = 12
DESC_OFFSET = 16
DESC_LENGTH = 20
DESC_COUNT = 24
DESC_STRIDE = 28
DESC_STATUS = 32
DESC_CHANNEL = 36
DESC_ADDR = 40
DESC_TAG = 56

# What a descriptor is.
KIND_NONE = 0
KIND_INPUT = 1
KIND_SEND = 2
KIND_TRANSMIT = 3
KIND_DATA = 4
KIND_EVENT = 5
KIND_PARTING = 6

# What turn_flow says of a flow.
FLOW_OPENED = 1
FLOW_CLOSED = 2
PATH_ERROR = 3

# Attributes of records.
ATTR_CMD = 1
ATTR_EVENT = 2
ATTR_PEER = 3
ATTR_CONNECTION = 4
ATTR_SERVER = 16
ATTR_USERNAME = 17
ATTR_PASSWORD = 18
ATTR_FAMILY = 19
ATTR_LIFETIME = 20
ATTR_SOFTWARE = 21
ATTR_FINGERPRINT = 22
ATTR_RTO = 23
ATTR_RC = 24
ATTR_RM = 25
ATTR_REFRESH_CAP = 26
ATTR_AUTO_PERMISSION = 27
ATTR_RECLAIM = 28
ATTR_REALLOCATE = 29
ATTR_SEED = 30
ATTR_KEEPALIVE = 32
ATTR_EVEN_PORT = 33
ATTR_RESERVATION_TOKEN = 34
ATTR_DONT_FRAGMENT = 35
ATTR_ADDITIONAL = 36
ATTR_DOMAIN = 37
ATTR_RELAY = 38
ATTR_UNSIGNED_BIND = 39
ATTR_ANONYMOUS = 40
ATTR_ACCESS_TOKEN = 41
ATTR_SERVER_NAME = 42
ATTR_MOBILITY = 43
ATTR_TRANSPORT = 44
ATTR_SECURED = 45
ATTR_MIN_RTO = 46
ATTR_ROUND_TRIP = 47
ATTR_METHOD = 48
ATTR_CODE = 49
ATTR_REASON = 50
ATTR_SIGNED = 51
ATTR_FLOW = 52
ATTR_CHANNEL = 53
ATTR_RELAYED = 54
ATTR_MAPPED = 55
ATTR_RETRY_AFTER = 56
ATTR_REUSE_AFTER = 57
ATTR_UNTIL = 58
ATTR_OUTCOME = 59
ATTR_ICMP = 60
ATTR_PHASE = 61
ATTR_WAKE_AT = 62
ATTR_WAKE_WHY = 63

# Commands.
CMD_ALLOCATE = 1
CMD_REFRESH = 2
CMD_CREATE_PERMISSION = 3
CMD_REMOVE_PERMISSION = 4
CMD_BIND_CHANNEL = 5
CMD_UNBIND_CHANNEL = 6
CMD_SET_CREDENTIALS = 7
CMD_REBIND = 8
CMD_SET_TOKEN = 9
CMD_CONNECT = 10
CMD_ACCEPT_CONNECTION = 11

# Error codes of calls.
CODE_SNAPSHOT = -19
CODE_NO_CONNECTION = -18
CODE_CONNECTED = -17
CODE_RELAY = -16
CODE_UNSUPPORTED = -15
CODE_PANIC = -14
CODE_ENTROPY = -13
CODE_CONFIG = -12
CODE_NO_CHANNEL = -11
CODE_PEER = -10
CODE_FAMILY = -9
CODE_QUEUE_FULL = -8
CODE_NO_PERMISSION = -7
CODE_TOO_LARGE = -6
CODE_LIMIT = -5
CODE_PHASE = -4
CODE_CLOSED = -3
CODE_ARGUMENT = -2
CODE_HANDLE = -1
CODE_OK = 0

# Exports, with the number of their parameters.
EXPORTS = {
    "turn_abi_version": 0,
    "turn_memory": 0,
    "turn_open": 2,
    "turn_command": 3,
    "turn_flow": 4,
    "turn_peer": 2,
    "turn_input": 2,
    "turn_send": 2,
    "turn_poll": 0,
    "turn_tick": 1,
    "turn_close": 3,
    "turn_state": 1,
    "turn_stats": 1,
    "turn_parting": 2,
    "turn_free": 1,
    "turn_snapshot": 4,
    "turn_restore": 4,
}

# Texts of the error codes.
CODE_TEXTS = {
    -19: "turn: snapshot",
    -18: "turn: no such connection",
    -17: "turn: there is a connection to this peer",
    -16: "turn: not on an allocation of this relay transport",
    -15: "turn: not supported by this version",
    -14: "turn: internal error in this client",
    -13: "turn: no entropy",
    -12: "turn: configuration",
    -11: "turn: no channel",
    -10: "turn: not a peer's address",
    -9: "turn: wrong address family",
    -8: "turn: queue is full",
    -7: "turn: no permission for this peer",
    -6: "turn: payload too large",
    -5: "turn: too many peers",
    -4: "turn: not possible in this phase",
    -3: "turn: client is closed",
    -2: "turn: bad argument",
    -1: "turn: no such client",
}

# Names of events, by number.
EVENTS = (
    "",
    "allocated",
    "allocateFailed",
    "permissionCreated",
    "permissionFailed",
    "channelBound",
    "channelFailed",
    "refreshed",
    "dataReceived",
    "peerICMP",
    "needNewPort",
    "flowNeeded",
    "redirected",
    "credentialsExpired",
    "tokenNeeded",
    "allocationLost",
    "commandDropped",
    "partingChanged",
    "closed",
    "reclaimed",
    "refreshFailed",
    "mobilityRefused",
    "rebound",
    "rebindFailed",
    "portReserved",
    "optionRefused",
    "addressRefused",
    "streamBroken",
    "connectionAttempted",
    "connectionReady",
    "connectionFailed",
    "connectionLost",
)

# Events.
EVENT_ALLOCATED = 1
EVENT_ALLOCATE_FAILED = 2
EVENT_PERMISSION_CREATED = 3
EVENT_PERMISSION_FAILED = 4
EVENT_CHANNEL_BOUND = 5
EVENT_CHANNEL_FAILED = 6
EVENT_REFRESHED = 7
EVENT_DATA_RECEIVED = 8
EVENT_PEER_ICMP = 9
EVENT_NEED_NEW_PORT = 10
EVENT_FLOW_NEEDED = 11
EVENT_REDIRECTED = 12
EVENT_CREDENTIALS_EXPIRED = 13
EVENT_TOKEN_NEEDED = 14
EVENT_ALLOCATION_LOST = 15
EVENT_COMMAND_DROPPED = 16
EVENT_PARTING_CHANGED = 17
EVENT_CLOSED = 18
EVENT_RECLAIMED = 19
EVENT_REFRESH_FAILED = 20
EVENT_MOBILITY_REFUSED = 21
EVENT_REBOUND = 22
EVENT_REBIND_FAILED = 23
EVENT_PORT_RESERVED = 24
EVENT_OPTION_REFUSED = 25
EVENT_ADDRESS_REFUSED = 26
EVENT_STREAM_BROKEN = 27
EVENT_CONNECTION_ATTEMPTED = 28
EVENT_CONNECTION_READY = 29
EVENT_CONNECTION_FAILED = 30
EVENT_CONNECTION_LOST = 31

# Names of outcomes, by number.
OUTCOMES = (
    "",
    "released",
    "nothing_to_release",
    "unconfirmed",
    "abandoned",
    "handed_over",
)

# Names of phases, by number.
PHASES = (
    "new",
    "allocating",
    "authenticated",
    "allocated",
    "closing",
    "closed",
)

# Names of the counters, in the order in which they cross the boundary.
STATS = (
    "sentMessages",
    "sentBytes",
    "receivedMessages",
    "receivedBytes",
    "retransmissions",
    "payloadsSent",
    "payloadsReceived",
    "ignoredClosed",
    "ignoredFlow",
    "ignoredSource",
    "ignoredMalformed",
    "ignoredUnexpected",
    "ignoredTransaction",
    "ignoredIntegrity",
    "ignoredFingerprint",
    "ignoredAttribute",
    "ignoredChannel",
    "ignoredPeer",
    "heldErrors",
    "payloadsDropped",
)

# Names of STUN methods.
METHODS = {
    1: "Binding",
    3: "Allocate",
    4: "Refresh",
    6: "Send",
    7: "Data",
    8: "CreatePermission",
    9: "ChannelBind",
    10: "Connect",
    11: "ConnectionBind",
    12: "ConnectionAttempt",
}

# The RFC's own phrases, for servers that send none.
PHRASES = {
    0: "failed",
    300: "Try Alternate",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    420: "Unknown Attribute",
    437: "Allocation Mismatch",
    438: "Stale Nonce",
    440: "Address Family not Supported",
    441: "Wrong Credentials",
    442: "Unsupported Transport Protocol",
    443: "Peer Address Family Mismatch",
    446: "Connection Already Exists",
    447: "Connection Timeout or Failure",
    486: "Allocation Quota Reached",
    500: "Server Error",
    508: "Insufficient Capacity",
}

# What the user of a program can do about a code.
HINTS = {
    300: "the server names another one, which was not followed: have redirects followed, or use that one's URL",
    400: "some servers answer a wrong password so: check username and password",
    401: "check username and password",
    403: "the server does not serve this client",
    437: "another allocation holds this local port: take another port or wait until it expires",
    438: "the server keeps changing its nonce: try again later",
    440: "the server does not relay this address family: ask for another",
    441: "the allocation belongs to another username: take another local port",
    442: "the server does not relay UDP: use another server",
    443: "the peer is of another address family than the relayed address",
    446: "there is a connection to that peer",
    447: "the server cannot connect to that peer: try again in 10 s",
    486: "this username's quota is used up: close other allocations, or wait a minute",
    500: "try again later",
    508: "the server has no port or capacity left: wait a minute or use another server",
}
