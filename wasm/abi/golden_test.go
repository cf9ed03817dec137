package abi

import (
	"encoding/hex"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pion/stun/v3"

	"github.com/turnwasm/turnwasm/client"
)

var rewrite = flag.Bool("rewrite", false, "write testdata/golden.txt anew")

const goldenFile = "testdata/golden.txt"

const goldenHead = `# Golden bytes of the ABI, version 1: one line "name = hex" for each layout and record. Hosts in every language
# are tested against this file. A changed line is a new version; a new line is an addition.
# Written by: go test ./wasm/abi -rewrite
`

var (
	ipv4 = netip.MustParseAddrPort("192.0.2.15:32853")
	ipv6 = netip.MustParseAddrPort("[2001:db8:1234:5678:11:2233:4455:6677]:443")
)

var goldenConfig = client.Config{
	Server: ipv4, Username: []byte("alice"), Password: []byte("secret"),
	Family: client.FamilyIPv6, Lifetime: 20 * time.Minute, Software: "turnwasm",
	Fingerprint: true, RTO: 250 * time.Millisecond, Rc: 5, Rm: 8, RefreshCap: 4 * time.Minute,
	AutoPermission: true, Reclaim: true, Reallocate: true,
}

var goldenCommand = Command{Cmd: CmdCreatePermission, Peers: []netip.AddrPort{ipv4, ipv6}}

var goldenEvents = []client.Event{
	{Kind: client.Allocated, Relayed: ipv4, Mapped: ipv6, Lifetime: 600 * time.Second},
	{
		Kind: client.AllocateFailed, Method: stun.MethodAllocate, Code: 486, Signed: true,
		Reason: "Allocation Quota Reached", RetryAfter: time.Minute,
	},
	{Kind: client.ChannelBound, Peer: ipv6, Channel: 0x4321},
	{Kind: client.PeerICMP, Peer: ipv4, ICMP: client.ICMP{Type: 3, Code: 4, Data: [4]byte{0, 0, 5, 0xdc}}},
	{Kind: client.NeedNewPort, Flow: 7, Code: 437},
	{
		Kind: client.Closed, Outcome: client.Unconfirmed, Reason: "no answer",
		ReuseAfter: 2500 * time.Microsecond, Until: 601*time.Second + 500*time.Microsecond,
	},
}

var goldenState = State{
	Phase: client.PhaseAllocated, Relayed: ipv4, Mapped: ipv6, Lifetime: 600 * time.Second,
	Wakes: true, WakeAt: 540 * time.Second, WakeWhy: "refresh allocation",
}

var goldenDesc = Desc{
	Client: 0x40005, Kind: KindTransmit, Addr: ipv6, Flow: 3, Peer: 9, Offset: 0x23040, Length: 1204,
	Count: 54, Stride: 1204, Status: CodeNoPermission, Channel: 0x4000, Tag: 0x0102030405060708,
}

func goldenStats() client.Stats {
	var s client.Stats
	for i, n := range counters(&s) {
		*n = uint64(i + 1)
	}
	return s
}

// golden writes every layout, in the file's order.
func golden() string {
	var out strings.Builder
	line := func(name string, b []byte) { fmt.Fprintf(&out, "%s = %s\n", name, hex.EncodeToString(b)) }
	header := make([]byte, HeaderSize)
	DefaultLayout().Store(header)
	Header(header).SetMostClients(1000)
	Header(header).SetMemoryLimit(512 << 20)
	line("header", header)
	desc := make([]byte, DescSize)
	goldenDesc.Store(desc)
	line("descriptor", desc)
	line("config", AppendConfig(nil, &goldenConfig, []byte("0123456789abcdef0123456789abcdef")))
	line("config minimal", AppendConfig(nil, &client.Config{Server: ipv6}, nil))
	line("command create permission", AppendCommand(nil, &goldenCommand))
	line("command set credentials", AppendCommand(nil, &Command{Cmd: CmdSetCredentials, Username: []byte("bob"), Password: []byte("other")}))
	line("command allocate", AppendCommand(nil, &Command{Cmd: CmdAllocate}))
	line("peer", AppendPeer(nil, ipv4))
	for i := range goldenEvents {
		line("event "+goldenEvents[i].Kind.String(), AppendEvent(nil, &goldenEvents[i]))
	}
	line("state", AppendState(nil, &goldenState))
	stats := goldenStats()
	line("stats", AppendStats(nil, &stats))
	for _, e := range Exports {
		fmt.Fprintf(&out, "# %v\n", e)
	}
	return goldenHead + out.String()
}

func TestGolden(t *testing.T) {
	got := golden()
	if *rewrite {
		if err := os.WriteFile(goldenFile, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Fatalf("the layouts are not those of %s; if that is meant, run with -rewrite:\n%s", goldenFile, got)
	}
}

// The picture in doc.go, checked by hand: what the accessors do is compared
// with bytes that were written without them.
func TestDescriptorByHand(t *testing.T) {
	b, err := hex.DecodeString(strings.Join([]string{
		"05000400", "03", "06", "bb01", // client, kind, family, port
		"03000000", "09000000", // flow, peer
		"40300200", "b4040000", // offset, length
		"36000000", "b4040000", // count, stride
		"f9ffffff", "00400000", // status, channel
		"20010db8123456780011223344556677", // address
		"0807060504030201",                 // tag
	}, ""))
	if err != nil {
		t.Fatal(err)
	}
	var d Desc
	d.Load(b)
	if d != goldenDesc {
		t.Fatalf("read %+v, want %+v", d, goldenDesc)
	}
	again := make([]byte, DescSize)
	d.Store(again)
	if hex.EncodeToString(again) != hex.EncodeToString(b) {
		t.Fatalf("written % x, want % x", again, b)
	}
	d.Addr = ipv4
	d.Store(again)
	if hex.EncodeToString(again[40:56]) != "c000020f000000000000000000000000" {
		t.Fatalf("an IPv4 address after an IPv6 one: % x", again[40:56])
	}
	var back Desc
	if back.Load(again); back != d {
		t.Fatalf("read %+v, want %+v", back, d)
	}
}

func TestRecordByHand(t *testing.T) {
	// SERVER: IPv4, port 3478, 192.0.2.1. USERNAME: 3 bytes and a zero.
	// RTO: 500.0 as f64.
	rec, err := hex.DecodeString("10000800" + "0400960dc0000201" + "11000300" + "626f6200" + "17000800" + "0000000000407f40")
	if err != nil {
		t.Fatal(err)
	}
	cfg, seed, err := ParseConfig(rec)
	if err != nil || seed != nil {
		t.Fatal(seed, err)
	}
	if cfg.Server.String() != "192.0.2.1:3478" || string(cfg.Username) != "bob" || cfg.RTO != 500*time.Millisecond {
		t.Fatalf("%+v", cfg)
	}
}
