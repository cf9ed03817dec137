package abi

// Version is what turn_abi_version answers.
const Version = 1

// Magic stands at the start of the shared region.
const Magic = 0x4E525554 // "TURN"

// Kind says what a descriptor is.
type Kind uint8

const (
	KindNone     Kind = 0
	KindInput    Kind = 1 // in: a datagram received (or several, coalesced)
	KindSend     Kind = 2 // in: payloads to send
	KindTransmit Kind = 3 // out: datagrams to ship to the inline address, on flow
	KindData     Kind = 4 // out: payloads received
	KindEvent    Kind = 5 // out: an event record
	KindParting  Kind = 6 // out: the parting datagram
)

// What turn_flow says of a flow.
const (
	FlowOpened = 1
	FlowClosed = 2
	PathError  = 3
)

// Attr is the type of an attribute in a record. Formats: bytes; string = UTF-8;
// flag = empty; u8.. u64; ms = f64 milliseconds; addr = u8 family (4, 6), u8 0,
// u16 port, 4 or 16 bytes.
type Attr uint16

const (
	AttrCmd   Attr = 0x0001 // u16, see Cmd
	AttrEvent Attr = 0x0002 // u16, client.EventKind
	AttrPeer  Attr = 0x0003 // addr; repeats in CmdCreatePermission

	AttrConnection Attr = 0x0004 // u32, client.ConnectionID; in commands and events

	// Config.
	AttrServer         Attr = 0x0010 // addr, required
	AttrUsername       Attr = 0x0011 // bytes
	AttrPassword       Attr = 0x0012 // bytes
	AttrFamily         Attr = 0x0013 // u8, client.Family
	AttrLifetime       Attr = 0x0014 // ms
	AttrSoftware       Attr = 0x0015 // string
	AttrFingerprint    Attr = 0x0016 // flag
	AttrRTO            Attr = 0x0017 // ms
	AttrRc             Attr = 0x0018 // u32
	AttrRm             Attr = 0x0019 // u32
	AttrRefreshCap     Attr = 0x001A // ms
	AttrAutoPermission Attr = 0x001B // flag
	AttrReclaim        Attr = 0x001C // flag
	AttrReallocate     Attr = 0x001D // flag
	AttrSeed           Attr = 0x001E // 32 bytes: deterministic transaction IDs, for tests and replays
	AttrAnonymous      Attr = 0x0028 // flag
	AttrAccessToken    Attr = 0x0029 // bytes; USERNAME is then its key's name, PASSWORD the key
	AttrMobility       Attr = 0x002B // flag

	AttrKeepalive        Attr = 0x0020 // ms
	AttrEvenPort         Attr = 0x0021 // u8, client.EvenPort
	AttrReservationToken Attr = 0x0022 // 8 bytes; in events, too
	AttrDontFragment     Attr = 0x0023 // flag
	AttrAdditional       Attr = 0x0024 // addr, in events and state
	AttrDomain           Attr = 0x0025 // string
	AttrRelay            Attr = 0x0026 // u8, client.Relay
	AttrUnsignedBind     Attr = 0x0027 // flag

	AttrTransport Attr = 0x002C // u8, client.Transport
	AttrSecured   Attr = 0x002D // flag: TLS or DTLS

	AttrMinRTO    Attr = 0x002E // ms
	AttrRoundTrip Attr = 0x002F // two ms: smoothed, variation; in config and state

	// Events and state.
	AttrServerName Attr = 0x002A // string
	AttrMethod     Attr = 0x0030 // u16, STUN method
	AttrCode       Attr = 0x0031 // u32
	AttrReason     Attr = 0x0032 // string
	AttrSigned     Attr = 0x0033 // flag
	AttrFlow       Attr = 0x0034 // u32
	AttrChannel    Attr = 0x0035 // u16
	AttrRelayed    Attr = 0x0036 // addr
	AttrMapped     Attr = 0x0037 // addr
	AttrRetryAfter Attr = 0x0038 // ms
	AttrReuseAfter Attr = 0x0039 // ms
	AttrUntil      Attr = 0x003A // ms, an instant
	AttrOutcome    Attr = 0x003B // u8, client.Outcome
	AttrICMP       Attr = 0x003C // u8 type, u8 code, 4 bytes data
	AttrPhase      Attr = 0x003D // u8, client.Phase
	AttrWakeAt     Attr = 0x003E // ms, an instant
	AttrWakeWhy    Attr = 0x003F // string
)

// Cmd is what a command record asks for.
type Cmd uint16

const (
	CmdAllocate         Cmd = 1
	CmdRefresh          Cmd = 2
	CmdCreatePermission Cmd = 3 // PEER, repeated; ports are ignored
	CmdRemovePermission Cmd = 4 // PEER
	CmdBindChannel      Cmd = 5 // PEER
	CmdUnbindChannel    Cmd = 6 // PEER
	CmdSetCredentials   Cmd = 7 // USERNAME, PASSWORD
	CmdRebind           Cmd = 8
	CmdSetToken         Cmd = 9  // USERNAME, PASSWORD, ACCESS_TOKEN
	CmdConnect          Cmd = 10 // PEER
	CmdAcceptConnection Cmd = 11 // CONNECTION
)

// Code is an error code of a call; the meaning of each stands at client's
// error of the same name.
type Code int32

const (
	CodeOK           Code = 0
	CodeHandle       Code = -1  // stale, foreign or never given
	CodeArgument     Code = -2  // out of range, or a malformed record
	CodeClosed       Code = -3  // client.ErrClosed
	CodePhase        Code = -4  // client.ErrPhase
	CodeLimit        Code = -5  // client.ErrLimit, ErrRoom or ErrMemory
	CodeTooLarge     Code = -6  // client.ErrTooLarge
	CodeNoPermission Code = -7  // client.ErrNoPermission
	CodeQueueFull    Code = -8  // client.ErrQueueFull
	CodeFamily       Code = -9  // client.ErrFamily
	CodePeer         Code = -10 // client.ErrPeer
	CodeNoChannel    Code = -11 // client.ErrNoChannel
	CodeConfig       Code = -12 // client.ErrConfig
	CodeEntropy      Code = -13 // client.ErrEntropy
	CodePanic        Code = -14 // a bug of ours: that client is closed, the instance lives
	CodeUnsupported  Code = -15 // a command or kind that this version does not know
	CodeRelay        Code = -16 // client.ErrRelay
	CodeConnected    Code = -17 // client.ErrConnected
	CodeNoConnection Code = -18 // client.ErrNoConnection
	CodeSnapshot     Code = -19 // client.ErrSnapshot
)
