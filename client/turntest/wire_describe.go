package turntest

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// Describe renders a datagram in one line, attributes in wire order:
//
//	Allocate request USERNAME=alice REALM=example.org NONCE=n1 REQUESTED-TRANSPORT=UDP integrity=ok
//	ChannelData 0x4001 "ping"
//
// key is what its integrity is judged with: ok, WRONG, or, with a nil key,
// present. A FINGERPRINT that is right is rendered fingerprint=ok.
func Describe(datagram, key []byte) string { return DescribeLabelled(datagram, key, "") }

// DescribeLabelled is Describe with a label behind the message's class, where
// a script puts the name that it gave to the transaction.
func DescribeLabelled(datagram, key []byte, label string) string {
	if number, payload, err := DecodeChannelData(datagram); err == nil {
		return fmt.Sprintf("ChannelData 0x%04x %s", number, quotePayload(payload))
	}
	m, err := Decode(datagram)
	if err != nil {
		return fmt.Sprintf("garbage of %d bytes: %v", len(datagram), err)
	}
	words := []string{m.Method.String(), m.Class.String()}
	if label != "" {
		words = append(words, label)
	}
	for _, a := range m.Attributes {
		words = append(words, m.describe(a, key))
	}
	return strings.Join(words, " ")
}

func (m *Message) describe(a Attribute, key []byte) string {
	switch a.Type {
	case AttrMessageIntegrity:
		return "integrity=" + verdict(m.verify1(key), key == nil)
	case AttrMessageIntegritySHA256:
		return "integrity256=" + verdict(m.Verify256(key), key == nil)
	case AttrFingerprint:
		return "fingerprint=" + verdict(m.FingerprintRight(), false)
	}
	value := m.describeValue(a)
	if value == "" {
		return a.Type.String()
	}
	return a.Type.String() + "=" + value
}

func verdict(right, unknown bool) string {
	switch {
	case unknown:
		return "present"
	case right:
		return "ok"
	}
	return "WRONG"
}

func (m *Message) describeValue(a Attribute) string {
	if isAddress(a.Type) {
		if addr, ok := parseAddress(a.Value, isXOR(a.Type), m.ID); ok {
			return addr.String()
		}
		return "broken"
	}
	if render, ok := renderings[a.Type]; ok {
		return render(a.Value)
	}
	return fmt.Sprintf("%x", a.Value)
}

// renderings of the attributes that are neither addresses nor plain bytes.
var renderings = map[AttributeType]func([]byte) string{
	AttrUsername: renderText, AttrRealm: renderText, AttrNonce: renderText,
	AttrSoftware: renderText, AttrAlternateDomain: renderText, AttrThirdPartyAuth: renderText,
	AttrData: quotePayload, AttrErrorCode: renderError, AttrAddressErrorCode: renderError,
	AttrLifetime: renderSeconds, AttrChannelNumber: renderChannel,
	AttrRequestedTransport: renderTransport, AttrUnknownAttributes: renderTypes,
	AttrRequestedAddressFamily: renderFamily, AttrAdditionalFamily: renderFamily,
	AttrEvenPort: renderEvenPort, AttrICMP: renderICMP, AttrMobilityTicket: renderTicket,
	AttrPasswordAlgorithms: renderAlgorithms, AttrPasswordAlgorithm: renderAlgorithms,
}

// renderText leaves plain words as they are and quotes the rest.
func renderText(v []byte) string {
	s := string(v)
	if q := strconv.Quote(s); len(q) != len(s)+2 || s == "" || strings.ContainsAny(s, " =") {
		return q
	}
	return s
}

// quotePayload shows up to 32 bytes of a payload, and how long it is beyond.
func quotePayload(v []byte) string {
	const shown = 32
	if len(v) <= shown {
		return strconv.Quote(string(v))
	}
	return fmt.Sprintf("%s+%d", strconv.Quote(string(v[:shown])), len(v)-shown)
}

// renderTicket shows an empty one by its name alone.
func renderTicket(v []byte) string {
	if len(v) == 0 {
		return ""
	}
	return renderText(v)
}

func renderError(v []byte) string {
	if len(v) < 4 {
		return "broken"
	}
	code := int(v[2]&7)*100 + int(v[3])
	if reason := strings.TrimRight(string(v[4:]), "\x00"); reason != "" {
		return fmt.Sprintf("%d:%s", code, strconv.Quote(reason))
	}
	return strconv.Itoa(code)
}

func renderSeconds(v []byte) string {
	if len(v) != 4 {
		return "broken"
	}
	return strconv.FormatUint(uint64(binary.BigEndian.Uint32(v)), 10) + "s"
}

func renderChannel(v []byte) string {
	if len(v) != 4 {
		return "broken"
	}
	return fmt.Sprintf("0x%04x", binary.BigEndian.Uint16(v))
}

func renderTransport(v []byte) string {
	if len(v) != 4 {
		return "broken"
	}
	switch v[0] {
	case 6:
		return "TCP"
	case 17:
		return "UDP"
	}
	return strconv.Itoa(int(v[0]))
}

func renderFamily(v []byte) string {
	if len(v) != 4 {
		return "broken"
	}
	switch v[0] {
	case familyIPv4:
		return "IPv4"
	case familyIPv6:
		return "IPv6"
	}
	return strconv.Itoa(int(v[0]))
}

func renderEvenPort(v []byte) string {
	if len(v) != 1 {
		return "broken"
	}
	return map[bool]string{true: "reserve", false: "even"}[v[0]&0x80 != 0]
}

func renderTypes(v []byte) string {
	var names []string
	for ; len(v) >= 2; v = v[2:] {
		names = append(names, AttributeType(binary.BigEndian.Uint16(v)).String())
	}
	return strings.Join(names, ",")
}

func renderICMP(v []byte) string {
	if len(v) != 8 {
		return "broken"
	}
	bits := binary.BigEndian.Uint16(v[2:])
	return fmt.Sprintf("%d/%d/%x", bits>>9, bits&0x1FF, v[4:])
}

// renderAlgorithms names those that have no parameters, as MD5,SHA-256.
func renderAlgorithms(v []byte) string {
	var names []string
	for ; len(v) >= 4; v = v[4:] {
		n := binary.BigEndian.Uint16(v)
		name := map[uint16]string{AlgorithmMD5: "MD5", AlgorithmSHA256: "SHA-256"}[n]
		if name == "" {
			name = strconv.Itoa(int(n))
		}
		if names = append(names, name); binary.BigEndian.Uint16(v[2:]) != 0 {
			return "parameters"
		}
	}
	if len(v) > 0 {
		return "broken"
	}
	return strings.Join(names, ",")
}
