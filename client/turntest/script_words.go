package turntest

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/turnwasm/turnwasm/client"
)

// word is one of a command: KEY=VALUE, or VALUE alone. Values may be quoted as
// Go strings are.
type word struct {
	key, value string
}

// splitWords cuts a line at its spaces, outside of quotes.
func splitWords(line string) ([]word, error) {
	var out []word
	for rest := strings.TrimSpace(line); rest != ""; rest = strings.TrimLeft(rest, " ") {
		var w word
		if at := strings.IndexAny(rest, `= "`); at > 0 && rest[at] == '=' {
			w.key, rest = rest[:at], rest[at+1:]
		}
		var err error
		if w.value, rest, err = splitValue(rest); err != nil {
			return nil, err
		}
		out = append(out, w)
	}
	return out, nil
}

func splitValue(rest string) (value, tail string, err error) {
	if !strings.HasPrefix(rest, `"`) {
		value, tail, _ = strings.Cut(rest, " ")
		return value, tail, nil
	}
	quoted, err := strconv.QuotedPrefix(rest)
	if err != nil {
		return "", "", fmt.Errorf("quotes in %q: %w", rest, err)
	}
	value, err = strconv.Unquote(quoted)
	return value, rest[len(quoted):], err
}

// words are a command's arguments. The first error of a take stays in err.
type words struct {
	list []word
	err  error
}

// next takes the first word that is left.
func (w *words) next() (word, bool) {
	if len(w.list) == 0 {
		return word{}, false
	}
	first := w.list[0]
	w.list = w.list[1:]
	return first, true
}

// plain takes the next word, which must be there and have no key.
func (w *words) plain(what string) string {
	x, ok := w.next()
	if !ok || x.key != "" {
		w.fail("%s is missing", what)
	}
	return x.value
}

// named takes the word with the key, wherever it stands.
func (w *words) named(key string) (string, bool) {
	for i, x := range w.list {
		if x.key == key {
			w.list = append(w.list[:i:i], w.list[i+1:]...)
			return x.value, true
		}
	}
	return "", false
}

// flag takes the word without a key.
func (w *words) flag(name string) bool {
	for i, x := range w.list {
		if x.key == "" && x.value == name {
			w.list = append(w.list[:i:i], w.list[i+1:]...)
			return true
		}
	}
	return false
}

func (w *words) text(key string) []byte {
	v, _ := w.named(key)
	return []byte(v)
}

func (w *words) duration(key string) time.Duration {
	v, ok := w.named(key)
	if !ok {
		return 0
	}
	d, err := time.ParseDuration(v)
	w.note(err)
	return d
}

// roundTrip reads what an earlier client has measured.
func (w *words) roundTrip() client.RoundTrip {
	return client.RoundTrip{Smoothed: w.duration("smoothed"), Variation: w.duration("variation")}
}

// reservation reads the bytes of a RESERVATION-TOKEN, in hexadecimal.
func (w *words) reservation(key string) (t client.ReservationToken) {
	v, _ := w.named(key)
	b, err := hex.DecodeString(v)
	w.note(err)
	copy(t[:], b)
	return t
}

func (w *words) number(key string) int {
	v, ok := w.named(key)
	if !ok {
		return 0
	}
	n, err := strconv.ParseInt(v, 0, 32)
	w.note(err)
	return int(n)
}

// addrPort reads a peer: an address with a port, or without one.
func (w *words) addrPort(v string) netip.AddrPort {
	if addr, err := netip.ParseAddr(v); err == nil {
		return netip.AddrPortFrom(addr, 0)
	}
	peer, err := netip.ParseAddrPort(v)
	w.note(err)
	return peer
}

func (w *words) note(err error) {
	if w.err == nil {
		w.err = err
	}
}

func (w *words) fail(format string, args ...any) { w.note(fmt.Errorf(format, args...)) }

// done is the error of the command, or of a word that nobody took.
func (w *words) done() error {
	if w.err == nil && len(w.list) > 0 {
		w.fail("nobody understands %v", w.list)
	}
	return w.err
}
