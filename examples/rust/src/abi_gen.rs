// Generated from wasm/abi, client and host by wasm/internal/gen ("make gen"). Do not edit.

#![allow(dead_code)]
#![cfg_attr(rustfmt, rustfmt_skip)]

pub const VERSION: u32 = 1;
pub const MAGIC: u32 = 1314018644;
pub const HEADER_SIZE: u32 = 128;
pub const DESC_SIZE: u32 = 64;
pub const HEADROOM: u32 = 64;
pub const TAILROOM: u32 = 4;
pub const SEED_SIZE: u32 = 32;

// Where the header's live fields lie.
pub const HEAD_NEXT: u32 = 64;
pub const HEAD_PENDING: u32 = 72;
pub const HEAD_CONSUMED: u32 = 76;
pub const HEAD_ERROR_LEN: u32 = 80;
pub const HEAD_CLIENTS: u32 = 84;
pub const HEAD_MOST: u32 = 88;
pub const HEAD_MEMORY: u32 = 92;

// Where a descriptor's fields lie.
pub const DESC_CLIENT: u32 = 0;
pub const DESC_KIND: u32 = 4;
pub const DESC_FAMILY: u32 = 5;
pub const DESC_PORT: u32 = 6;
pub const DESC_FLOW: u32 = 8;
pub const DESC_PEER: u32 = 12;
pub const DESC_OFFSET: u32 = 16;
pub const DESC_LENGTH: u32 = 20;
pub const DESC_COUNT: u32 = 24;
pub const DESC_STRIDE: u32 = 28;
pub const DESC_STATUS: u32 = 32;
pub const DESC_CHANNEL: u32 = 36;
pub const DESC_ADDR: u32 = 40;
pub const DESC_TAG: u32 = 56;

// What a descriptor is.
pub const KIND_NONE: u32 = 0;
pub const KIND_INPUT: u32 = 1;
pub const KIND_SEND: u32 = 2;
pub const KIND_TRANSMIT: u32 = 3;
pub const KIND_DATA: u32 = 4;
pub const KIND_EVENT: u32 = 5;
pub const KIND_PARTING: u32 = 6;

// What turn_flow says of a flow.
pub const FLOW_OPENED: u32 = 1;
pub const FLOW_CLOSED: u32 = 2;
pub const PATH_ERROR: u32 = 3;

// Attributes of records.
pub const ATTR_CMD: u32 = 1;
pub const ATTR_EVENT: u32 = 2;
pub const ATTR_PEER: u32 = 3;
pub const ATTR_CONNECTION: u32 = 4;
pub const ATTR_SERVER: u32 = 16;
pub const ATTR_USERNAME: u32 = 17;
pub const ATTR_PASSWORD: u32 = 18;
pub const ATTR_FAMILY: u32 = 19;
pub const ATTR_LIFETIME: u32 = 20;
pub const ATTR_SOFTWARE: u32 = 21;
pub const ATTR_FINGERPRINT: u32 = 22;
pub const ATTR_RTO: u32 = 23;
pub const ATTR_RC: u32 = 24;
pub const ATTR_RM: u32 = 25;
pub const ATTR_REFRESH_CAP: u32 = 26;
pub const ATTR_AUTO_PERMISSION: u32 = 27;
pub const ATTR_RECLAIM: u32 = 28;
pub const ATTR_REALLOCATE: u32 = 29;
pub const ATTR_SEED: u32 = 30;
pub const ATTR_KEEPALIVE: u32 = 32;
pub const ATTR_EVEN_PORT: u32 = 33;
pub const ATTR_RESERVATION_TOKEN: u32 = 34;
pub const ATTR_DONT_FRAGMENT: u32 = 35;
pub const ATTR_ADDITIONAL: u32 = 36;
pub const ATTR_DOMAIN: u32 = 37;
pub const ATTR_RELAY: u32 = 38;
pub const ATTR_UNSIGNED_BIND: u32 = 39;
pub const ATTR_ANONYMOUS: u32 = 40;
pub const ATTR_ACCESS_TOKEN: u32 = 41;
pub const ATTR_SERVER_NAME: u32 = 42;
pub const ATTR_MOBILITY: u32 = 43;
pub const ATTR_TRANSPORT: u32 = 44;
pub const ATTR_SECURED: u32 = 45;
pub const ATTR_MIN_RTO: u32 = 46;
pub const ATTR_ROUND_TRIP: u32 = 47;
pub const ATTR_METHOD: u32 = 48;
pub const ATTR_CODE: u32 = 49;
pub const ATTR_REASON: u32 = 50;
pub const ATTR_SIGNED: u32 = 51;
pub const ATTR_FLOW: u32 = 52;
pub const ATTR_CHANNEL: u32 = 53;
pub const ATTR_RELAYED: u32 = 54;
pub const ATTR_MAPPED: u32 = 55;
pub const ATTR_RETRY_AFTER: u32 = 56;
pub const ATTR_REUSE_AFTER: u32 = 57;
pub const ATTR_UNTIL: u32 = 58;
pub const ATTR_OUTCOME: u32 = 59;
pub const ATTR_ICMP: u32 = 60;
pub const ATTR_PHASE: u32 = 61;
pub const ATTR_WAKE_AT: u32 = 62;
pub const ATTR_WAKE_WHY: u32 = 63;

// Commands.
pub const CMD_ALLOCATE: u32 = 1;
pub const CMD_REFRESH: u32 = 2;
pub const CMD_CREATE_PERMISSION: u32 = 3;
pub const CMD_REMOVE_PERMISSION: u32 = 4;
pub const CMD_BIND_CHANNEL: u32 = 5;
pub const CMD_UNBIND_CHANNEL: u32 = 6;
pub const CMD_SET_CREDENTIALS: u32 = 7;
pub const CMD_REBIND: u32 = 8;
pub const CMD_SET_TOKEN: u32 = 9;
pub const CMD_CONNECT: u32 = 10;
pub const CMD_ACCEPT_CONNECTION: u32 = 11;

// Error codes of calls.
pub const CODE_SNAPSHOT: i32 = -19;
pub const CODE_NO_CONNECTION: i32 = -18;
pub const CODE_CONNECTED: i32 = -17;
pub const CODE_RELAY: i32 = -16;
pub const CODE_UNSUPPORTED: i32 = -15;
pub const CODE_PANIC: i32 = -14;
pub const CODE_ENTROPY: i32 = -13;
pub const CODE_CONFIG: i32 = -12;
pub const CODE_NO_CHANNEL: i32 = -11;
pub const CODE_PEER: i32 = -10;
pub const CODE_FAMILY: i32 = -9;
pub const CODE_QUEUE_FULL: i32 = -8;
pub const CODE_NO_PERMISSION: i32 = -7;
pub const CODE_TOO_LARGE: i32 = -6;
pub const CODE_LIMIT: i32 = -5;
pub const CODE_PHASE: i32 = -4;
pub const CODE_CLOSED: i32 = -3;
pub const CODE_ARGUMENT: i32 = -2;
pub const CODE_HANDLE: i32 = -1;
pub const CODE_OK: i32 = 0;

// Exports, with the number of their parameters.
pub const EXPORTS: &[(&str, usize)] = &[
    ("turn_abi_version", 0),
    ("turn_memory", 0),
    ("turn_open", 2),
    ("turn_command", 3),
    ("turn_flow", 4),
    ("turn_peer", 2),
    ("turn_input", 2),
    ("turn_send", 2),
    ("turn_poll", 0),
    ("turn_tick", 1),
    ("turn_close", 3),
    ("turn_state", 1),
    ("turn_stats", 1),
    ("turn_parting", 2),
    ("turn_free", 1),
    ("turn_snapshot", 4),
    ("turn_restore", 4),
];

// Texts of the error codes.
pub const CODE_TEXTS: &[(i32, &str)] = &[
    (-19, "turn: snapshot"),
    (-18, "turn: no such connection"),
    (-17, "turn: there is a connection to this peer"),
    (-16, "turn: not on an allocation of this relay transport"),
    (-15, "turn: not supported by this version"),
    (-14, "turn: internal error in this client"),
    (-13, "turn: no entropy"),
    (-12, "turn: configuration"),
    (-11, "turn: no channel"),
    (-10, "turn: not a peer's address"),
    (-9, "turn: wrong address family"),
    (-8, "turn: queue is full"),
    (-7, "turn: no permission for this peer"),
    (-6, "turn: payload too large"),
    (-5, "turn: too many peers"),
    (-4, "turn: not possible in this phase"),
    (-3, "turn: client is closed"),
    (-2, "turn: bad argument"),
    (-1, "turn: no such client"),
];

// Names of events, by number.
pub const EVENTS: &[&str] = &[
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
];

// Events.
pub const EVENT_ALLOCATED: u32 = 1;
pub const EVENT_ALLOCATE_FAILED: u32 = 2;
pub const EVENT_PERMISSION_CREATED: u32 = 3;
pub const EVENT_PERMISSION_FAILED: u32 = 4;
pub const EVENT_CHANNEL_BOUND: u32 = 5;
pub const EVENT_CHANNEL_FAILED: u32 = 6;
pub const EVENT_REFRESHED: u32 = 7;
pub const EVENT_DATA_RECEIVED: u32 = 8;
pub const EVENT_PEER_ICMP: u32 = 9;
pub const EVENT_NEED_NEW_PORT: u32 = 10;
pub const EVENT_FLOW_NEEDED: u32 = 11;
pub const EVENT_REDIRECTED: u32 = 12;
pub const EVENT_CREDENTIALS_EXPIRED: u32 = 13;
pub const EVENT_TOKEN_NEEDED: u32 = 14;
pub const EVENT_ALLOCATION_LOST: u32 = 15;
pub const EVENT_COMMAND_DROPPED: u32 = 16;
pub const EVENT_PARTING_CHANGED: u32 = 17;
pub const EVENT_CLOSED: u32 = 18;
pub const EVENT_RECLAIMED: u32 = 19;
pub const EVENT_REFRESH_FAILED: u32 = 20;
pub const EVENT_MOBILITY_REFUSED: u32 = 21;
pub const EVENT_REBOUND: u32 = 22;
pub const EVENT_REBIND_FAILED: u32 = 23;
pub const EVENT_PORT_RESERVED: u32 = 24;
pub const EVENT_OPTION_REFUSED: u32 = 25;
pub const EVENT_ADDRESS_REFUSED: u32 = 26;
pub const EVENT_STREAM_BROKEN: u32 = 27;
pub const EVENT_CONNECTION_ATTEMPTED: u32 = 28;
pub const EVENT_CONNECTION_READY: u32 = 29;
pub const EVENT_CONNECTION_FAILED: u32 = 30;
pub const EVENT_CONNECTION_LOST: u32 = 31;

// Names of outcomes, by number.
pub const OUTCOMES: &[&str] = &[
    "",
    "released",
    "nothing_to_release",
    "unconfirmed",
    "abandoned",
    "handed_over",
];

// Names of phases, by number.
pub const PHASES: &[&str] = &[
    "new",
    "allocating",
    "authenticated",
    "allocated",
    "closing",
    "closed",
];

// Names of the counters, in the order in which they cross the boundary.
pub const STATS: &[&str] = &[
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
];

// Names of STUN methods.
pub const METHODS: &[(i32, &str)] = &[
    (1, "Binding"),
    (3, "Allocate"),
    (4, "Refresh"),
    (6, "Send"),
    (7, "Data"),
    (8, "CreatePermission"),
    (9, "ChannelBind"),
    (10, "Connect"),
    (11, "ConnectionBind"),
    (12, "ConnectionAttempt"),
];

// The RFC's own phrases, for servers that send none.
pub const PHRASES: &[(i32, &str)] = &[
    (0, "failed"),
    (300, "Try Alternate"),
    (400, "Bad Request"),
    (401, "Unauthorized"),
    (403, "Forbidden"),
    (420, "Unknown Attribute"),
    (437, "Allocation Mismatch"),
    (438, "Stale Nonce"),
    (440, "Address Family not Supported"),
    (441, "Wrong Credentials"),
    (442, "Unsupported Transport Protocol"),
    (443, "Peer Address Family Mismatch"),
    (446, "Connection Already Exists"),
    (447, "Connection Timeout or Failure"),
    (486, "Allocation Quota Reached"),
    (500, "Server Error"),
    (508, "Insufficient Capacity"),
];

// What the user of a program can do about a code.
pub const HINTS: &[(i32, &str)] = &[
    (300, "the server names another one, which was not followed: have redirects followed, or use that one's URL"),
    (400, "some servers answer a wrong password so: check username and password"),
    (401, "check username and password"),
    (403, "the server does not serve this client"),
    (437, "another allocation holds this local port: take another port or wait until it expires"),
    (438, "the server keeps changing its nonce: try again later"),
    (440, "the server does not relay this address family: ask for another"),
    (441, "the allocation belongs to another username: take another local port"),
    (442, "the server does not relay UDP: use another server"),
    (443, "the peer is of another address family than the relayed address"),
    (446, "there is a connection to that peer"),
    (447, "the server cannot connect to that peer: try again in 10 s"),
    (486, "this username's quota is used up: close other allocations, or wait a minute"),
    (500, "try again later"),
    (508, "the server has no port or capacity left: wait a minute or use another server"),
];
