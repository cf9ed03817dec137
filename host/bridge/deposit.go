package bridge

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/pion/stun/v3"
)

// MaxDeposit is the largest parting datagram.
const MaxDeposit = 2048

// longestDeposit is how long a deposit can be good for.
const longestDeposit = 24 * time.Hour

// parting is a deposited datagram.
type parting struct {
	data  []byte
	id    [stun.TransactionIDSize]byte
	until time.Time // the server may hold the allocation to this instant
}

// deposit is where a session keeps its newest parting.
type deposit struct {
	mu     sync.Mutex
	newest *parting // nil: nothing is owed
}

// put takes the value of a DEPOSIT frame. What is no parting changes nothing.
func (d *deposit) put(value []byte, now time.Time) error {
	var p *parting
	if len(value) > 0 {
		var err error
		if p, err = parseDeposit(value, now); err != nil {
			return err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.newest = p
	return nil
}

// take answers the newest parting once.
func (d *deposit) take() *parting {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.newest
	d.newest = nil
	return p
}

func parseDeposit(value []byte, now time.Time) (*parting, error) {
	if len(value) < depositHeader {
		return nil, errors.New("a deposit begins with its time in milliseconds")
	}
	ms := binary.BigEndian.Uint32(value)
	p := &parting{data: append([]byte(nil), value[depositHeader:]...)}
	p.until = now.Add(min(longestDeposit, time.Duration(ms)*time.Millisecond))
	var err error
	p.id, err = checkParting(p.data)
	return p, err
}

// checkParting: is it a Refresh request with LIFETIME 0 and nothing besides?
func checkParting(data []byte) (id [stun.TransactionIDSize]byte, err error) {
	if len(data) > MaxDeposit {
		return id, fmt.Errorf("a deposit is at most %d bytes", MaxDeposit)
	}
	m := stun.New()
	if err := stun.Decode(data, m); err != nil {
		return id, errors.New("a deposit is a STUN message")
	}
	if len(data) != int(m.Length)+20 {
		return id, errors.New("a deposit ends with its STUN message")
	}
	// Decode overlooks the two first bits, which tell ChannelData from STUN.
	if request := stun.NewType(stun.MethodRefresh, stun.ClassRequest); binary.BigEndian.Uint16(data) != request.Value() {
		return id, errors.New("a deposit is a Refresh request")
	}
	return m.TransactionID, checkLifetime(m)
}

// checkLifetime: which of two a server obeys is its own affair, so there is one.
func checkLifetime(m *stun.Message) error {
	n := 0
	for _, a := range m.Attributes {
		if a.Type != stun.AttrLifetime {
			continue
		}
		if n++; len(a.Value) != 4 || binary.BigEndian.Uint32(a.Value) != 0 {
			return errors.New("a deposit's LIFETIME is 0")
		}
	}
	if n != 1 {
		return errors.New("a deposit has one LIFETIME, 0")
	}
	return nil
}
