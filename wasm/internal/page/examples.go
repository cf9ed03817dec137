package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/wasm"
	"github.com/turnwasm/turnwasm/wasm/abi"
)

// answers are what a host does for each import.
var answers = map[string]string{
	"args_get":          "nothing: there are none",
	"args_sizes_get":    "writes u32 0 to both addresses",
	"clock_time_get":    "writes u64 nanoseconds of any clock that does not go back to the last address: Go's own runtime asks, the machine does not",
	"environ_get":       "nothing: there is none",
	"environ_sizes_get": "writes u32 0 to both addresses",
	"fd_write":          "keeps the end of what goes to 2: Go's word on a fatal fault; writes the sum of the lengths (count vectors of u32 address, u32 length) to the last address; 8 (EBADF) for others than 1 and 2",
	"poll_oneoff":       "says at once that each subscription (48 bytes: u64 userdata, u8 type at +8) has come to pass: events (32 bytes: the same userdata, u16 error 0, u8 type at +10), and their number to the last address",
	"proc_exit":         "does not return: the instance is dead",
	"random_get":        "fills the bytes from the system's own random source: transaction IDs must not be guessed. Another answer than 0 says that there is none",
	"sched_yield":       "nothing",
}

// imports are the module's own.
func imports() (string, error) {
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter())
	defer r.Close(ctx)
	m, err := r.CompileModule(ctx, wasm.Module())
	if err != nil {
		return "", err
	}
	var lines []string
	for _, f := range m.ImportedFunctions() {
		module, name, _ := f.Import()
		if module != "wasi_snapshot_preview1" || answers[name] == "" {
			return "", fmt.Errorf("nothing is known of the import %s.%s", module, name)
		}
		lines = append(lines, fmt.Sprintf("| `%s(%s)` | %s |", name, types(f.ParamTypes()), answers[name]))
	}
	slices.Sort(lines)
	lines = slices.Compact(lines) // Go's runtime and ours import some of them each
	return "| `wasi_snapshot_preview1` | what to do |\n|---|---|\n" + strings.Join(lines, "\n"), nil
}

func types(list []api.ValueType) string {
	names := make([]string, len(list))
	for i, t := range list {
		names[i] = api.ValueTypeName(t)
	}
	return strings.Join(names, ", ")
}

// header is the module's, at its start.
func header() (string, error) {
	b := make([]byte, abi.HeaderSize)
	abi.DefaultLayout().Store(b)
	said := []string{
		`"TURN", version`, "sizes of the region and of a descriptor", "control-in", "control-out", "in-descriptors: offset, count",
		"out-descriptors: offset, count", "arena", "headroom, tailroom", "next deadline: +Inf", "pending, consumed", "length of the error's text, clients",
		"most clients, most memory: the module writes its own here",
	}
	var s strings.Builder
	s.WriteString("```\n")
	for i, text := range said {
		fmt.Fprintf(&s, "+%-3d %-25s %s\n", 8*i, hexPairs(b[8*i:8*i+8]), text)
	}
	s.WriteString("```")
	return s.String(), nil
}

// hexPairs writes bytes in groups of four.
func hexPairs(b []byte) string {
	var s strings.Builder
	for i, x := range b {
		if i > 0 && i%4 == 0 {
			s.WriteByte(' ')
		}
		if i > 0 {
			s.WriteByte(' ')
		}
		fmt.Fprintf(&s, "%02x", x)
	}
	return s.String()
}

// descriptor is the one of abi's page.
func descriptor() (string, error) {
	d := abi.Desc{
		Client: 0x40005, Kind: abi.KindTransmit, Addr: netip.MustParseAddrPort("[2001:db8:1234:5678:11:2233:4455:6677]:443"),
		Flow: 3, Offset: 0x23040, Length: 1204, Count: 54, Stride: 1204,
	}
	b := make([]byte, abi.DescSize)
	d.Store(b)
	said := []string{
		"client", "kind 3, family 6, port 443", "flow", "peer", "offset", "length", "count", "stride", "status", "channel",
		"address", "", "", "", "tag", "",
	}
	var s strings.Builder
	s.WriteString("```\n")
	for i, text := range said {
		fmt.Fprintf(&s, "+%-3d %s  %s\n", 4*i, hexPairs(b[4*i:4*i+4]), text)
	}
	s.WriteString("```")
	return strings.ReplaceAll(s.String(), "  \n", "\n"), nil
}

// configs are two records of turn_open.
func (b *book) configs() (string, error) {
	server := netip.MustParseAddrPort("192.0.2.1:3478")
	least := client.Config{Server: server}
	usual := client.Config{
		Server: server, Username: []byte("bob"), Password: []byte("secret"), Software: "mine",
		Lifetime: 10 * time.Minute, RTO: 500 * time.Millisecond, AutoPermission: true,
	}
	return "```\n" + b.record(abi.AppendConfig(nil, &least, nil), "") + "\n" + b.record(abi.AppendConfig(nil, &usual, nil), "") + "```", nil
}

// record writes a record's bytes, an attribute a line, with what they say.
func (b *book) record(rec []byte, indent string) string {
	var s strings.Builder
	for len(rec) >= 4 {
		number, n := binary.LittleEndian.Uint16(rec), int(binary.LittleEndian.Uint16(rec[2:]))
		end := 4 + (n+3)&^3
		bytes := fmt.Sprintf("%s%s  %s", indent, strings.ReplaceAll(hexPairs(rec[:4]), "  ", " "), short(rec[4:end]))
		fmt.Fprintf(&s, "%-64s %s\n", bytes, b.said(number, rec[4:4+n]))
		rec = rec[end:]
	}
	return s.String()
}

// short leaves out the middle of what is long.
func short(value []byte) string {
	if len(value) > 16 {
		return hexPairs(value[:12]) + "  ..."
	}
	return hexPairs(value)
}
