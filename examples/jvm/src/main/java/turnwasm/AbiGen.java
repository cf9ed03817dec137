// Generated from wasm/abi, client and host by wasm/internal/gen ("make gen"). Do not edit.

package turnwasm;

import java.util.List;
import java.util.Map;

/** The boundary's numbers. */
final class AbiGen {
    private AbiGen() {}

    static final int VERSION = 1;
    static final int MAGIC = 1314018644;
    static final int HEADER_SIZE = 128;
    static final int DESC_SIZE = 64;
    static final int HEADROOM = 64;
    static final int TAILROOM = 4;
    static final int SEED_SIZE = 32;

    // Where the header's live fields lie.
    static final int HEAD_NEXT = 64;
    static final int HEAD_PENDING = 72;
    static final int HEAD_CONSUMED = 76;
    static final int HEAD_ERROR_LEN = 80;
    static final int HEAD_CLIENTS = 84;
    static final int HEAD_MOST = 88;
    static final int HEAD_MEMORY = 92;

    // Where a descriptor's fields lie.
    static final int DESC_CLIENT = 0;
    static final int DESC_KIND = 4;
    static final int DESC_FAMILY = 5;
    static final int DESC_PORT = 6;
    static final int DESC_FLOW = 8;
    static final int DESC_PEER = 12;
    static final int DESC_OFFSET = 16;
    static final int DESC_LENGTH = 20;
    static final int DESC_COUNT = 24;
    static final int DESC_STRIDE = 28;
    static final int DESC_STATUS = 32;
    static final int DESC_CHANNEL = 36;
    static final int DESC_ADDR = 40;
    static final int DESC_TAG = 56;

    // What a descriptor is.
    static final int KIND_NONE = 0;
    static final int KIND_INPUT = 1;
    static final int KIND_SEND = 2;
    static final int KIND_TRANSMIT = 3;
    static final int KIND_DATA = 4;
    static final int KIND_EVENT = 5;
    static final int KIND_PARTING = 6;

    // What turn_flow says of a flow.
    static final int FLOW_OPENED = 1;
    static final int FLOW_CLOSED = 2;
    static final int PATH_ERROR = 3;

    // Attributes of records.
    static final int ATTR_CMD = 1;
    static final int ATTR_EVENT = 2;
    static final int ATTR_PEER = 3;
    static final int ATTR_CONNECTION = 4;
    static final int ATTR_SERVER = 16;
    static final int ATTR_USERNAME = 17;
    static final int ATTR_PASSWORD = 18;
    static final int ATTR_FAMILY = 19;
    static final int ATTR_LIFETIME = 20;
    static final int ATTR_SOFTWARE = 21;
    static final int ATTR_FINGERPRINT = 22;
    static final int ATTR_RTO = 23;
    static final int ATTR_RC = 24;
    static final int ATTR_RM = 25;
    static final int ATTR_REFRESH_CAP = 26;
    static final int ATTR_AUTO_PERMISSION = 27;
    static final int ATTR_RECLAIM = 28;
    static final int ATTR_REALLOCATE = 29;
    static final int ATTR_SEED = 30;
    static final int ATTR_KEEPALIVE = 32;
    static final int ATTR_EVEN_PORT = 33;
    static final int ATTR_RESERVATION_TOKEN = 34;
    static final int ATTR_DONT_FRAGMENT = 35;
    static final int ATTR_ADDITIONAL = 36;
    static final int ATTR_DOMAIN = 37;
    static final int ATTR_RELAY = 38;
    static final int ATTR_UNSIGNED_BIND = 39;
    static final int ATTR_ANONYMOUS = 40;
    static final int ATTR_ACCESS_TOKEN = 41;
    static final int ATTR_SERVER_NAME = 42;
    static final int ATTR_MOBILITY = 43;
    static final int ATTR_TRANSPORT = 44;
    static final int ATTR_SECURED = 45;
    static final int ATTR_MIN_RTO = 46;
    static final int ATTR_ROUND_TRIP = 47;
    static final int ATTR_METHOD = 48;
    static final int ATTR_CODE = 49;
    static final int ATTR_REASON = 50;
    static final int ATTR_SIGNED = 51;
    static final int ATTR_FLOW = 52;
    static final int ATTR_CHANNEL = 53;
    static final int ATTR_RELAYED = 54;
    static final int ATTR_MAPPED = 55;
    static final int ATTR_RETRY_AFTER = 56;
    static final int ATTR_REUSE_AFTER = 57;
    static final int ATTR_UNTIL = 58;
    static final int ATTR_OUTCOME = 59;
    static final int ATTR_ICMP = 60;
    static final int ATTR_PHASE = 61;
    static final int ATTR_WAKE_AT = 62;
    static final int ATTR_WAKE_WHY = 63;

    // Commands.
    static final int CMD_ALLOCATE = 1;
    static final int CMD_REFRESH = 2;
    static final int CMD_CREATE_PERMISSION = 3;
    static final int CMD_REMOVE_PERMISSION = 4;
    static final int CMD_BIND_CHANNEL = 5;
    static final int CMD_UNBIND_CHANNEL = 6;
    static final int CMD_SET_CREDENTIALS = 7;
    static final int CMD_REBIND = 8;
    static final int CMD_SET_TOKEN = 9;
    static final int CMD_CONNECT = 10;
    static final int CMD_ACCEPT_CONNECTION = 11;

    // Error codes of calls.
    static final int CODE_SNAPSHOT = -19;
    static final int CODE_NO_CONNECTION = -18;
    static final int CODE_CONNECTED = -17;
    static final int CODE_RELAY = -16;
    static final int CODE_UNSUPPORTED = -15;
    static final int CODE_PANIC = -14;
    static final int CODE_ENTROPY = -13;
    static final int CODE_CONFIG = -12;
    static final int CODE_NO_CHANNEL = -11;
    static final int CODE_PEER = -10;
    static final int CODE_FAMILY = -9;
    static final int CODE_QUEUE_FULL = -8;
    static final int CODE_NO_PERMISSION = -7;
    static final int CODE_TOO_LARGE = -6;
    static final int CODE_LIMIT = -5;
    static final int CODE_PHASE = -4;
    static final int CODE_CLOSED = -3;
    static final int CODE_ARGUMENT = -2;
    static final int CODE_HANDLE = -1;
    static final int CODE_OK = 0;

    // Exports, with the number of their parameters.
    static final Map<String, Integer> EXPORTS = Map.ofEntries(
            Map.entry("turn_abi_version", 0),
            Map.entry("turn_memory", 0),
            Map.entry("turn_open", 2),
            Map.entry("turn_command", 3),
            Map.entry("turn_flow", 4),
            Map.entry("turn_peer", 2),
            Map.entry("turn_input", 2),
            Map.entry("turn_send", 2),
            Map.entry("turn_poll", 0),
            Map.entry("turn_tick", 1),
            Map.entry("turn_close", 3),
            Map.entry("turn_state", 1),
            Map.entry("turn_stats", 1),
            Map.entry("turn_parting", 2),
            Map.entry("turn_free", 1),
            Map.entry("turn_snapshot", 4),
            Map.entry("turn_restore", 4));

    // Texts of the error codes.
    static final Map<Integer, String> CODE_TEXTS = Map.ofEntries(
            Map.entry(-19, "turn: snapshot"),
            Map.entry(-18, "turn: no such connection"),
            Map.entry(-17, "turn: there is a connection to this peer"),
            Map.entry(-16, "turn: not on an allocation of this relay transport"),
            Map.entry(-15, "turn: not supported by this version"),
            Map.entry(-14, "turn: internal error in this client"),
            Map.entry(-13, "turn: no entropy"),
            Map.entry(-12, "turn: configuration"),
            Map.entry(-11, "turn: no channel"),
            Map.entry(-10, "turn: not a peer's address"),
            Map.entry(-9, "turn: wrong address family"),
            Map.entry(-8, "turn: queue is full"),
            Map.entry(-7, "turn: no permission for this peer"),
            Map.entry(-6, "turn: payload too large"),
            Map.entry(-5, "turn: too many peers"),
            Map.entry(-4, "turn: not possible in this phase"),
            Map.entry(-3, "turn: client is closed"),
            Map.entry(-2, "turn: bad argument"),
            Map.entry(-1, "turn: no such client"));

    // Names of events, by number.
    static final List<String> EVENTS = List.of(
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
            "connectionLost");

    // Events.
    static final int EVENT_ALLOCATED = 1;
    static final int EVENT_ALLOCATE_FAILED = 2;
    static final int EVENT_PERMISSION_CREATED = 3;
    static final int EVENT_PERMISSION_FAILED = 4;
    static final int EVENT_CHANNEL_BOUND = 5;
    static final int EVENT_CHANNEL_FAILED = 6;
    static final int EVENT_REFRESHED = 7;
    static final int EVENT_DATA_RECEIVED = 8;
    static final int EVENT_PEER_ICMP = 9;
    static final int EVENT_NEED_NEW_PORT = 10;
    static final int EVENT_FLOW_NEEDED = 11;
    static final int EVENT_REDIRECTED = 12;
    static final int EVENT_CREDENTIALS_EXPIRED = 13;
    static final int EVENT_TOKEN_NEEDED = 14;
    static final int EVENT_ALLOCATION_LOST = 15;
    static final int EVENT_COMMAND_DROPPED = 16;
    static final int EVENT_PARTING_CHANGED = 17;
    static final int EVENT_CLOSED = 18;
    static final int EVENT_RECLAIMED = 19;
    static final int EVENT_REFRESH_FAILED = 20;
    static final int EVENT_MOBILITY_REFUSED = 21;
    static final int EVENT_REBOUND = 22;
    static final int EVENT_REBIND_FAILED = 23;
    static final int EVENT_PORT_RESERVED = 24;
    static final int EVENT_OPTION_REFUSED = 25;
    static final int EVENT_ADDRESS_REFUSED = 26;
    static final int EVENT_STREAM_BROKEN = 27;
    static final int EVENT_CONNECTION_ATTEMPTED = 28;
    static final int EVENT_CONNECTION_READY = 29;
    static final int EVENT_CONNECTION_FAILED = 30;
    static final int EVENT_CONNECTION_LOST = 31;

    // Names of outcomes, by number.
    static final List<String> OUTCOMES = List.of(
            "",
            "released",
            "nothing_to_release",
            "unconfirmed",
            "abandoned",
            "handed_over");

    // Names of phases, by number.
    static final List<String> PHASES = List.of(
            "new",
            "allocating",
            "authenticated",
            "allocated",
            "closing",
            "closed");

    // Names of the counters, in the order in which they cross the boundary.
    static final List<String> STATS = List.of(
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
            "payloadsDropped");

    // Names of STUN methods.
    static final Map<Integer, String> METHODS = Map.ofEntries(
            Map.entry(1, "Binding"),
            Map.entry(3, "Allocate"),
            Map.entry(4, "Refresh"),
            Map.entry(6, "Send"),
            Map.entry(7, "Data"),
            Map.entry(8, "CreatePermission"),
            Map.entry(9, "ChannelBind"),
            Map.entry(10, "Connect"),
            Map.entry(11, "ConnectionBind"),
            Map.entry(12, "ConnectionAttempt"));

    // The RFC's own phrases, for servers that send none.
    static final Map<Integer, String> PHRASES = Map.ofEntries(
            Map.entry(0, "failed"),
            Map.entry(300, "Try Alternate"),
            Map.entry(400, "Bad Request"),
            Map.entry(401, "Unauthorized"),
            Map.entry(403, "Forbidden"),
            Map.entry(420, "Unknown Attribute"),
            Map.entry(437, "Allocation Mismatch"),
            Map.entry(438, "Stale Nonce"),
            Map.entry(440, "Address Family not Supported"),
            Map.entry(441, "Wrong Credentials"),
            Map.entry(442, "Unsupported Transport Protocol"),
            Map.entry(443, "Peer Address Family Mismatch"),
            Map.entry(446, "Connection Already Exists"),
            Map.entry(447, "Connection Timeout or Failure"),
            Map.entry(486, "Allocation Quota Reached"),
            Map.entry(500, "Server Error"),
            Map.entry(508, "Insufficient Capacity"));

    // What the user of a program can do about a code.
    static final Map<Integer, String> HINTS = Map.ofEntries(
            Map.entry(300, "the server names another one, which was not followed: have redirects followed, or use that one's URL"),
            Map.entry(400, "some servers answer a wrong password so: check username and password"),
            Map.entry(401, "check username and password"),
            Map.entry(403, "the server does not serve this client"),
            Map.entry(437, "another allocation holds this local port: take another port or wait until it expires"),
            Map.entry(438, "the server keeps changing its nonce: try again later"),
            Map.entry(440, "the server does not relay this address family: ask for another"),
            Map.entry(441, "the allocation belongs to another username: take another local port"),
            Map.entry(442, "the server does not relay UDP: use another server"),
            Map.entry(443, "the peer is of another address family than the relayed address"),
            Map.entry(446, "there is a connection to that peer"),
            Map.entry(447, "the server cannot connect to that peer: try again in 10 s"),
            Map.entry(486, "this username's quota is used up: close other allocations, or wait a minute"),
            Map.entry(500, "try again later"),
            Map.entry(508, "the server has no port or capacity left: wait a minute or use another server"));

}
