package host

import (
	"slices"
	"strings"
	"testing"
)

func arrived(text string, length int) *arrival {
	return &arrival{peer: benchPeer, data: []byte(text), length: length, count: len(text) / max(1, length), stride: length}
}

func TestInboxIsBounded(t *testing.T) {
	b := inbox{most: 5}
	b.keep(arrived("aabbccdd", 2), 1)
	b.keep(arrived("eeffgg", 2), 0)
	if b.held != 5 || b.dropped.Load() != 1 {
		t.Fatalf("%d are held, %d dropped", b.held, b.dropped.Load())
	}
	var got []string
	room := make([]byte, 10)
	for b.held > 0 {
		n, peer := b.pop(room)
		if peer != benchPeer {
			t.Errorf("from %v", peer)
		}
		got = append(got, string(room[:n]))
	}
	if want := []string{"bb", "cc", "dd", "ee", "ff"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	b.keep(&arrival{peer: benchPeer, count: 2}, 0) // empty ones are payloads too
	if n, _ := b.pop(room); n != 0 || b.held != 1 {
		t.Errorf("%d bytes, %d held", n, b.held)
	}
}

// messages have so much room each.
func messages(segment int, rooms ...int) (ms []Message) {
	for _, room := range rooms {
		ms = append(ms, Message{Buffer: make([]byte, room), Segment: segment})
	}
	return ms
}

func texts(ms []Message) string {
	var all []string
	for _, m := range ms {
		all = append(all, string(m.Buffer[:m.N]))
	}
	return strings.Join(all, " ")
}

func TestMessagesTakeRuns(t *testing.T) {
	for _, test := range []struct {
		name    string
		segment int
		rooms   []int
		want    string
		left    int // in the inbox
	}{
		{"a run is welcome", 1, []int{100}, "aabbccddx", 0},
		{"it is cut at the end of the room", 1, []int{5, 100}, "aabb ccddx", 0},
		{"one payload each", 0, []int{100, 100, 100}, "aa bb cc", 2},
		{"what does not fit loses its end", 0, []int{1, 100}, "a bb", 3},
		{"and so in a run", 1, []int{1, 1}, "a b", 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := new(Conn)
			c.in.init(c, 100)
			ms := messages(test.segment, test.rooms...)
			in := taker{c: c, into: ms}
			in.deliver([]arrival{*arrived("aabbccdd", 2), *arrived("x", 1)})
			if got := texts(ms[:in.filled]); got != test.want || c.in.inbox.held != test.left {
				t.Errorf("got %q, %d are left; want %q and %d", got, c.in.inbox.held, test.want, test.left)
			}
			if test.segment > 0 && ms[0].Segment != 2 {
				t.Errorf("the segment is %d", ms[0].Segment)
			}
		})
	}
}

func TestMessagesTakeFromTheInbox(t *testing.T) {
	b := inbox{most: 100}
	b.keep(arrived("aabbccdd", 2), 0)
	b.keep(arrived("eee", 3), 0)
	ms := messages(1, 3, 100, 100, 100)
	if n := b.fill(ms); n != 3 || texts(ms[:n]) != "aa bbccdd eee" || b.held != 0 {
		t.Errorf("%q, %d held", texts(ms[:n]), b.held)
	}
}
