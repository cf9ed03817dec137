package turntest

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/turnwasm/turnwasm/client"
)

// What a script's server sends:
//
//	recv tx=N success ATTRIBUTES
//	recv tx=N error CODE ATTRIBUTES
//	recv tx=N request ATTRIBUTES           a message with the ID of a request
//	recv data PEER "PAYLOAD" ATTRIBUTES    a Data indication; without a payload none
//	recv indication METHOD ATTRIBUTES
//	recv channeldata PEER|NUMBER "PAYLOAD" [pad=N] [claim=N]
//	recv hex BYTES
//
// tx=new is an ID that nobody knows. ATTRIBUTES are NAME=VALUE in wire order, a
// name is one of the table or the RFC's own or a number, the value of the last
// two in hexadecimal. integrity=ok signs with the request's key,
// integrity=USER:REALM:PASSWORD with another, integrity=bad signs wrongly; what
// follows it is appended behind it. integrity256=ok|bad is the same by
// MESSAGE-INTEGRITY-SHA256, fingerprint=ok|bad likewise.
//
// Before them may stand from=ADDR, which spoofs the source, from=connected,
// which leaves it out, flow=N, chunk=N, which cuts a stream's bytes into parts
// of so many, tail=TEXT, bytes that come behind the message in the same read, and
// method=NAME, which answers for another method.

func doRecv(r *scriptRunner, w *words) error {
	from := r.current.cfg.Server
	if v, ok := w.named("from"); ok {
		from = netip.AddrPort{}
		if v != "connected" {
			from = w.addrPort(v)
		}
	}
	flow := client.Flow(w.number("flow"))
	chunk := w.number("chunk")
	tail := w.text("tail")
	for datagram := append(r.compose(w), tail...); w.err == nil && datagram != nil; {
		n := len(datagram)
		if chunk > 0 {
			n = min(n, chunk)
		}
		r.d.Input(r.now, r.current.n, flow, from, datagram[:n])
		if datagram = datagram[n:]; len(datagram) == 0 {
			break
		}
	}
	return nil
}

func (r *scriptRunner) compose(w *words) []byte {
	if tx, ok := w.named("tx"); ok {
		return r.composeResponse(w, tx)
	}
	switch what := w.plain("what is received"); what {
	case "data":
		return r.composeData(w)
	case "indication":
		return r.composeIndication(w)
	case "channeldata":
		return r.composeChannelData(w)
	case "hex":
		b, err := hex.DecodeString(w.plain("bytes"))
		w.note(err)
		return b
	default:
		w.fail("nobody receives %q", what)
		return nil
	}
}

// unknownID is one that no client draws.
var unknownID = TransactionID{'n', 'e', 'w'}

func (r *scriptRunner) composeResponse(w *words, tx string) []byte {
	q := &scriptRequest{m: &Message{Method: MethodAllocate, ID: unknownID}}
	if tx != "new" {
		n, err := strconv.Atoi(tx)
		if err != nil || n < 1 || n > len(r.order) {
			w.fail("there is no tx=%s", tx)
			return nil
		}
		q = r.order[n-1]
	}
	method := q.m.Method
	if name, ok := w.named("method"); ok {
		if method, ok = MethodByName(name); !ok {
			w.fail("there is no method %s", name)
		}
	}
	class := map[string]Class{"success": Success, "error": Failure, "request": Request}
	name := w.plain("success or error")
	if _, ok := class[name]; !ok {
		w.fail("there is no class %s", name)
	}
	b := Build(method, class[name], q.m.ID)
	if class[name] == Failure {
		addErrorCode(b, w)
	}
	return addAttributes(b, w, q.key)
}

// addErrorCode adds the code, and reason= if it follows; "error none" adds none.
func addErrorCode(b *Builder, w *words) {
	code := w.plain("an error code")
	if code == "none" {
		return
	}
	n, err := strconv.Atoi(code)
	w.note(err)
	reason, _ := w.named("reason")
	b.Error(n, reason)
}

func (r *scriptRunner) composeData(w *words) []byte {
	b := Build(MethodData, Indication, unknownID)
	b.Address(AttrXORPeerAddress, w.addrPort(w.plain("a peer")))
	if len(w.list) > 0 && w.list[0].key == "" {
		b.Text(AttrData, w.plain("a payload"))
	}
	return addAttributes(b, w, nil)
}

func (r *scriptRunner) composeIndication(w *words) []byte {
	name := w.plain("a method")
	method, ok := MethodByName(name)
	if !ok {
		w.fail("there is no method %s", name)
	}
	return addAttributes(Build(method, Indication, unknownID), w, nil)
}

func (r *scriptRunner) composeChannelData(w *words) []byte {
	name := w.plain("a channel")
	number, known := r.current.channels[name]
	if !known {
		n, err := strconv.ParseUint(name, 0, 16)
		w.note(err)
		number = uint16(n)
	}
	payload := w.plain("a payload")
	datagram := ChannelData(number, []byte(payload))
	if claim := w.number("claim"); claim != 0 {
		datagram[2], datagram[3] = byte(claim>>8), byte(claim)
	}
	return append(datagram, make([]byte, w.number("pad"))...)
}

// addAttributes adds the rest of the words, in their order.
func addAttributes(b *Builder, w *words, key []byte) []byte {
	for x, ok := w.next(); ok; x, ok = w.next() {
		switch add, short := shortAttributes[x.key]; {
		case short:
			add(b, w, x.value)
		case x.key == "integrity":
			addIntegrity(b, w, x.value, key)
		case x.key == "integrity256":
			addIntegrity256(b, w, x.value, key)
		case x.key == "fingerprint":
			b.Fingerprint()
			if x.value == "bad" {
				b.raw[len(b.raw)-1] ^= 1
			}
		default:
			addByNumber(b, w, x)
		}
	}
	return b.Datagram()
}

func addIntegrity(b *Builder, w *words, value string, key []byte) {
	parts := strings.Split(value, ":")
	switch {
	case value == "none":
		return
	case len(parts) == 3:
		key = LongTermKey(parts[0], parts[1], parts[2])
	case key == nil:
		w.fail("the request has no key to answer with")
		return
	}
	b.Integrity(key)
	if value == "bad" {
		b.raw[len(b.raw)-1] ^= 1
	}
}

// addIntegrity256 signs with the request's key, or as another would.
func addIntegrity256(b *Builder, w *words, value string, key []byte) {
	if key == nil {
		w.fail("the request has no key to answer with")
		return
	}
	b.Integrity256(key)
	if value == "bad" {
		b.raw[len(b.raw)-1] ^= 1
	}
}

// addByNumber adds an attribute by the RFC's name or its number.
func addByNumber(b *Builder, w *words, x word) {
	t, ok := AttributeByName(x.key)
	if !ok {
		n, err := strconv.ParseUint(x.key, 0, 16)
		if err != nil {
			w.fail("there is no attribute %q", x.key)
			return
		}
		t = AttributeType(n)
	}
	value, err := hex.DecodeString(x.value)
	w.note(err)
	b.Bytes(t, value)
}

var shortAttributes = map[string]func(b *Builder, w *words, value string){
	"realm":      func(b *Builder, _ *words, v string) { b.Text(AttrRealm, v) },
	"nonce":      func(b *Builder, _ *words, v string) { b.Text(AttrNonce, v) },
	"software":   func(b *Builder, _ *words, v string) { b.Text(AttrSoftware, v) },
	"ticket":     func(b *Builder, _ *words, v string) { b.Text(AttrMobilityTicket, v) },
	"data":       func(b *Builder, _ *words, v string) { b.Text(AttrData, v) },
	"relayed":    func(b *Builder, w *words, v string) { b.Address(AttrXORRelayedAddress, w.addrPort(v)) },
	"mapped":     func(b *Builder, w *words, v string) { b.Address(AttrXORMappedAddress, w.addrPort(v)) },
	"peer":       func(b *Builder, w *words, v string) { b.Address(AttrXORPeerAddress, w.addrPort(v)) },
	"lifetime":   addSeconds,
	"algorithms": addAlgorithms,
	"connection": addConnectionID,
	"icmp":       addICMP,
}

// addAlgorithms reads numbers of password algorithms, as 2,1; none for an empty list.
func addAlgorithms(b *Builder, w *words, v string) {
	var list []uint16
	for _, name := range strings.Split(v, ",") {
		if name == "none" {
			continue
		}
		n, err := strconv.ParseUint(name, 0, 16)
		w.note(err)
		list = append(list, uint16(n))
	}
	b.Algorithms(list...)
}

func addConnectionID(b *Builder, w *words, v string) {
	n, err := strconv.ParseUint(v, 0, 32)
	w.note(err)
	b.Bytes(AttrConnectionID, binary.BigEndian.AppendUint32(nil, uint32(n)))
}

func addSeconds(b *Builder, w *words, v string) {
	n, err := strconv.ParseUint(v, 10, 32)
	w.note(err)
	b.Lifetime(time.Duration(n) * time.Second)
}

// addICMP reads TYPE/CODE/DATA, drawn as the RFC's figure has it.
func addICMP(b *Builder, w *words, v string) {
	var icmpType, code uint8
	var data []byte
	if _, err := fmt.Sscanf(v, "%d/%d/%x", &icmpType, &code, &data); err != nil || len(data) != 4 {
		w.fail("icmp=%s is not TYPE/CODE/8 digits", v)
		return
	}
	b.ICMP(icmpType, code, [4]byte(data))
}
