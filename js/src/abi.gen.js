// Generated from wasm/abi, client and host by wasm/internal/gen ("make gen"). Do not edit.

export const VERSION = 1
export const MAGIC = 0x4e525554
export const HEADER_SIZE = 128
export const DESC_SIZE = 64
export const HEADROOM = 64
export const TAILROOM = 4
export const SEED_SIZE = 32

// Where the header's live fields lie.
export const HEAD_NEXT = 64
export const HEAD_PENDING = 72
export const HEAD_CONSUMED = 76
export const HEAD_ERROR_LEN = 80
export const HEAD_CLIENTS = 84
export const HEAD_MOST = 88
export const HEAD_MEMORY = 92

// Where a descriptor's fields lie.
export const DESC_CLIENT = 0
export const DESC_KIND = 4
export const DESC_FAMILY = 5
export const DESC_PORT = 6
export const DESC_FLOW = 8
export const DESC_PEER = 12
export const DESC_OFFSET = 16
export const DESC_LENGTH = 20
export const DESC_COUNT = 24
export const DESC_STRIDE = 28
export const DESC_STATUS = 32
export const DESC_CHANNEL = 36
export const DESC_ADDR = 40
export const DESC_TAG = 56

// What a descriptor is.
export const KIND_NONE = 0
export const KIND_INPUT = 1
export const KIND_SEND = 2
export const KIND_TRANSMIT = 3
export const KIND_DATA = 4
export const KIND_EVENT = 5
export const KIND_PARTING = 6

// What turn_flow says of a flow.
export const FLOW_OPENED = 1
export const FLOW_CLOSED = 2
export const PATH_ERROR = 3

// Attributes of records.
export const ATTR_CMD = 1
export const ATTR_EVENT = 2
export const ATTR_PEER = 3
export const ATTR_CONNECTION = 4
export const ATTR_SERVER = 16
export const ATTR_USERNAME = 17
export const ATTR_PASSWORD = 18
export const ATTR_FAMILY = 19
export const ATTR_LIFETIME = 20
export const ATTR_SOFTWARE = 21
export const ATTR_FINGERPRINT = 22
export const ATTR_RTO = 23
export const ATTR_RC = 24
export const ATTR_RM = 25
export const ATTR_REFRESH_CAP = 26
export const ATTR_AUTO_PERMISSION = 27
export const ATTR_RECLAIM = 28
export const ATTR_REALLOCATE = 29
export const ATTR_SEED = 30
export const ATTR_KEEPALIVE = 32
export const ATTR_EVEN_PORT = 33
export const ATTR_RESERVATION_TOKEN = 34
export const ATTR_DONT_FRAGMENT = 35
export const ATTR_ADDITIONAL = 36
export const ATTR_DOMAIN = 37
export const ATTR_RELAY = 38
export const ATTR_UNSIGNED_BIND = 39
export const ATTR_ANONYMOUS = 40
export const ATTR_ACCESS_TOKEN = 41
export const ATTR_SERVER_NAME = 42
export const ATTR_MOBILITY = 43
export const ATTR_TRANSPORT = 44
export const ATTR_SECURED = 45
export const ATTR_MIN_RTO = 46
export const ATTR_ROUND_TRIP = 47
export const ATTR_METHOD = 48
export const ATTR_CODE = 49
export const ATTR_REASON = 50
export const ATTR_SIGNED = 51
export const ATTR_FLOW = 52
export const ATTR_CHANNEL = 53
export const ATTR_RELAYED = 54
export const ATTR_MAPPED = 55
export const ATTR_RETRY_AFTER = 56
export const ATTR_REUSE_AFTER = 57
export const ATTR_UNTIL = 58
export const ATTR_OUTCOME = 59
export const ATTR_ICMP = 60
export const ATTR_PHASE = 61
export const ATTR_WAKE_AT = 62
export const ATTR_WAKE_WHY = 63

// Commands.
export const CMD_ALLOCATE = 1
export const CMD_REFRESH = 2
export const CMD_CREATE_PERMISSION = 3
export const CMD_REMOVE_PERMISSION = 4
export const CMD_BIND_CHANNEL = 5
export const CMD_UNBIND_CHANNEL = 6
export const CMD_SET_CREDENTIALS = 7
export const CMD_REBIND = 8
export const CMD_SET_TOKEN = 9
export const CMD_CONNECT = 10
export const CMD_ACCEPT_CONNECTION = 11

// Error codes of calls.
export const CODE_SNAPSHOT = -19
export const CODE_NO_CONNECTION = -18
export const CODE_CONNECTED = -17
export const CODE_RELAY = -16
export const CODE_UNSUPPORTED = -15
export const CODE_PANIC = -14
export const CODE_ENTROPY = -13
export const CODE_CONFIG = -12
export const CODE_NO_CHANNEL = -11
export const CODE_PEER = -10
export const CODE_FAMILY = -9
export const CODE_QUEUE_FULL = -8
export const CODE_NO_PERMISSION = -7
export const CODE_TOO_LARGE = -6
export const CODE_LIMIT = -5
export const CODE_PHASE = -4
export const CODE_CLOSED = -3
export const CODE_ARGUMENT = -2
export const CODE_HANDLE = -1
export const CODE_OK = 0

// Exports, with the number of their parameters.
/** @type {ReadonlyArray<readonly [name: string, params: number]>} */
export const EXPORTS = [
	["turn_abi_version", 0],
	["turn_memory", 0],
	["turn_open", 2],
	["turn_command", 3],
	["turn_flow", 4],
	["turn_peer", 2],
	["turn_input", 2],
	["turn_send", 2],
	["turn_poll", 0],
	["turn_tick", 1],
	["turn_close", 3],
	["turn_state", 1],
	["turn_stats", 1],
	["turn_parting", 2],
	["turn_free", 1],
	["turn_snapshot", 4],
	["turn_restore", 4],
]

// Texts of the error codes.
/** @type {ReadonlyMap<number, string>} */
export const CODE_TEXTS = new Map([
	[-19, "turn: snapshot"],
	[-18, "turn: no such connection"],
	[-17, "turn: there is a connection to this peer"],
	[-16, "turn: not on an allocation of this relay transport"],
	[-15, "turn: not supported by this version"],
	[-14, "turn: internal error in this client"],
	[-13, "turn: no entropy"],
	[-12, "turn: configuration"],
	[-11, "turn: no channel"],
	[-10, "turn: not a peer's address"],
	[-9, "turn: wrong address family"],
	[-8, "turn: queue is full"],
	[-7, "turn: no permission for this peer"],
	[-6, "turn: payload too large"],
	[-5, "turn: too many peers"],
	[-4, "turn: not possible in this phase"],
	[-3, "turn: client is closed"],
	[-2, "turn: bad argument"],
	[-1, "turn: no such client"],
])

// Names of events, by number.
/** @type {ReadonlyArray<string>} */
export const EVENTS = [
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
]

// Names of outcomes, by number.
/** @type {ReadonlyArray<string>} */
export const OUTCOMES = [
	"",
	"released",
	"nothing_to_release",
	"unconfirmed",
	"abandoned",
	"handed_over",
]

// Names of phases, by number.
/** @type {ReadonlyArray<string>} */
export const PHASES = [
	"new",
	"allocating",
	"authenticated",
	"allocated",
	"closing",
	"closed",
]

// Names of the counters, in the order in which they cross the boundary.
/** @type {ReadonlyArray<string>} */
export const STATS = [
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
]

// Names of STUN methods.
/** @type {ReadonlyMap<number, string>} */
export const METHODS = new Map([
	[1, "Binding"],
	[3, "Allocate"],
	[4, "Refresh"],
	[6, "Send"],
	[7, "Data"],
	[8, "CreatePermission"],
	[9, "ChannelBind"],
	[10, "Connect"],
	[11, "ConnectionBind"],
	[12, "ConnectionAttempt"],
])

// The RFC's own phrases, for servers that send none.
/** @type {ReadonlyMap<number, string>} */
export const PHRASES = new Map([
	[0, "failed"],
	[300, "Try Alternate"],
	[400, "Bad Request"],
	[401, "Unauthorized"],
	[403, "Forbidden"],
	[420, "Unknown Attribute"],
	[437, "Allocation Mismatch"],
	[438, "Stale Nonce"],
	[440, "Address Family not Supported"],
	[441, "Wrong Credentials"],
	[442, "Unsupported Transport Protocol"],
	[443, "Peer Address Family Mismatch"],
	[446, "Connection Already Exists"],
	[447, "Connection Timeout or Failure"],
	[486, "Allocation Quota Reached"],
	[500, "Server Error"],
	[508, "Insufficient Capacity"],
])

// What the user of a program can do about a code.
/** @type {ReadonlyMap<number, string>} */
export const HINTS = new Map([
	[300, "the server names another one, which was not followed: have redirects followed, or use that one's URL"],
	[400, "some servers answer a wrong password so: check username and password"],
	[401, "check username and password"],
	[403, "the server does not serve this client"],
	[437, "another allocation holds this local port: take another port or wait until it expires"],
	[438, "the server keeps changing its nonce: try again later"],
	[440, "the server does not relay this address family: ask for another"],
	[441, "the allocation belongs to another username: take another local port"],
	[442, "the server does not relay UDP: use another server"],
	[443, "the peer is of another address family than the relayed address"],
	[446, "there is a connection to that peer"],
	[447, "the server cannot connect to that peer: try again in 10 s"],
	[486, "this username's quota is used up: close other allocations, or wait a minute"],
	[500, "try again later"],
	[508, "the server has no port or capacity left: wait a minute or use another server"],
])
