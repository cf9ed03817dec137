package main

import (
	"encoding/binary"
	"fmt"
	"math"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/turnwasm/turnwasm/client/turntest"
	"github.com/turnwasm/turnwasm/wasm/abi"
	"github.com/turnwasm/turnwasm/wasm/internal/names"
	"github.com/turnwasm/turnwasm/wasm/internal/transcript"
)

// exchange is a whole life of a client, as a host sees it.
func (b *book) exchange() (string, error) {
	t, err := transcript.Record(filepath.Join(root, "client/testdata/first_steps.txt"))
	if err != nil {
		return "", err
	}
	var s strings.Builder
	s.WriteString("```\n")
	for _, step := range t.Steps {
		if step.Call == "turn_state" || step.Call == "turn_stats" { // the script's runner looks, a host need not
			continue
		}
		if s.Len() > len("```\n") {
			s.WriteByte('\n')
		}
		b.step(&s, step)
	}
	s.WriteString("```")
	return s.String(), nil
}

func (b *book) step(s *strings.Builder, step *transcript.Step) {
	args := []string{fmt.Sprint(float64(*step.Now))}
	for _, a := range step.Args {
		args = append(args, fmt.Sprint(a))
	}
	switch {
	case step.In != nil:
		args = append(args, strconv.Itoa(len(step.In)))
	case step.Desc != nil:
		args = append(args, "1")
	}
	fmt.Fprintf(s, "> %s(%s) = %s\n", step.Call, strings.Join(args, ", "), number(step.Ret))
	if step.In != nil {
		s.WriteString(b.record(step.In, "    "))
	}
	if step.Desc != nil {
		descline(s, step.Desc, packet(step.Desc.Data.(transcript.Bytes), step.Desc.Kind))
	}
	for i := range step.Out {
		b.out(s, &step.Out[i])
	}
	fmt.Fprintf(s, "  next deadline %s\n", number(step.Next))
}

// out is an out-descriptor.
func (b *book) out(s *strings.Builder, d *transcript.Desc) {
	for _, data := range d.Data.([]transcript.Bytes) {
		s.WriteString("< ")
		if d.Kind == abi.KindEvent {
			fmt.Fprintf(s, "KindEvent, %d bytes\n%s", len(data), b.record(data, "    "))
			continue
		}
		descline(s, d, packet(data, d.Kind))
	}
}

var kinds = map[abi.Kind]string{
	abi.KindInput: "KindInput", abi.KindSend: "KindSend", abi.KindTransmit: "KindTransmit", abi.KindData: "KindData", abi.KindParting: "KindParting",
}

func descline(s *strings.Builder, d *transcript.Desc, what string) {
	if d.Kind == abi.KindInput || d.Kind == abi.KindSend {
		s.WriteString("    ")
	}
	fmt.Fprint(s, kinds[d.Kind])
	if d.Family == 4 {
		fmt.Fprintf(s, " %s", netip.AddrPortFrom(netip.AddrFrom4([4]byte(d.Addr)), d.Port))
	}
	fmt.Fprintf(s, ", %s\n", what)
}

// packet says what a datagram or a payload is.
func packet(data []byte, kind abi.Kind) string {
	if len(data) == 0 {
		return "nothing to keep any more"
	}
	if kind == abi.KindSend || kind == abi.KindData {
		return fmt.Sprintf("%d bytes: %q", len(data), data)
	}
	m, err := turntest.Decode(data)
	if err != nil {
		return fmt.Sprintf("%d bytes", len(data))
	}
	return fmt.Sprintf("%d bytes: %s %s\n      %s  ...", len(data), m.Method, m.Class, hexPairs(data[:20]))
}

func number(n transcript.Number) string {
	if math.IsInf(float64(n), 1) {
		return "+Inf"
	}
	return strconv.FormatFloat(float64(n), 'f', -1, 64)
}

// said names an attribute and its value.
func (b *book) said(number uint16, value []byte) string {
	name, format := "?", ""
	for _, c := range constants(b.abi, "Attr", "Attr") {
		if n, err := strconv.ParseUint(c.value, 0, 16); err == nil && uint16(n) == number {
			name, format = names.Upper(c.name), c.said
		}
	}
	kind, _, _ := strings.Cut(strings.Split(format, ";")[0], ",")
	switch {
	case name == "CMD":
		return "CMD " + b.nameOf("Cmd", "Cmd", uint64(binary.LittleEndian.Uint16(value)))
	case name == "EVENT":
		return "EVENT " + b.nameOf("EventKind", "", uint64(binary.LittleEndian.Uint16(value)))
	case name == "OUTCOME":
		return "OUTCOME " + b.nameOf("Outcome", "", uint64(value[0]))
	case name == "METHOD":
		return fmt.Sprintf("METHOD %s", turntest.Method(binary.LittleEndian.Uint16(value)))
	}
	return strings.TrimSpace(name + " " + valueOf(strings.TrimSpace(kind), value))
}

func (b *book) nameOf(typed, prefix string, n uint64) string {
	source := b.client
	if typed == "Cmd" {
		source = b.abi
	}
	for _, c := range constants(source, typed, prefix) {
		if c.value == fmt.Sprint(n) {
			return c.name
		}
	}
	return fmt.Sprint(n)
}

func valueOf(kind string, v []byte) string {
	switch kind {
	case "addr":
		port := binary.LittleEndian.Uint16(v[2:])
		ip, _ := netip.AddrFromSlice(v[4:])
		return netip.AddrPortFrom(ip, port).String()
	case "ms":
		return fmt.Sprintf("%v ms", math.Float64frombits(binary.LittleEndian.Uint64(v)))
	case "bytes", "string":
		return fmt.Sprintf("%q", v)
	case "u8":
		return fmt.Sprint(v[0])
	case "u16":
		return fmt.Sprint(binary.LittleEndian.Uint16(v))
	case "u32":
		return fmt.Sprint(binary.LittleEndian.Uint32(v))
	}
	return ""
}
