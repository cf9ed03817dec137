package main

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
)

// A payload is a word that holds its sequence number and its length, and then
// bytes of a fixed pattern that begin at another place for each number. Every
// contestant's application writes the whole of it for each packet, and whoever
// receives it compares the whole of it.
const (
	wordSize    = 8
	maxPayload  = 1500
	patternStep = 4096 // numbers that differ by less begin at different places

	// hello is the number of a payload that only asks whether the channel
	// stands, goodbye that of the end of a generated stream.
	hello   = 1<<47 + 1
	goodbye = 1<<47 + 2
)

var pattern = func() []byte {
	r := rand.New(rand.NewPCG(1, 2))
	p := make([]byte, patternStep+maxPayload)
	for i := range p {
		p[i] = byte(r.Uint32())
	}
	return p
}()

// fill writes the payload with a number into b.
func fill(b []byte, number uint64) {
	binary.BigEndian.PutUint64(b, number<<16|uint64(len(b)))
	at := number % patternStep
	copy(b[wordSize:], pattern[at:])
}

// numberOf reads the number; ok says whether every byte is as fill writes it.
func numberOf(b []byte) (number uint64, ok bool) {
	if len(b) < wordSize || len(b) > maxPayload {
		return 0, false
	}
	word := binary.BigEndian.Uint64(b)
	number = word >> 16
	at := number % patternStep
	return number, int(word&0xFFFF) == len(b) && bytes.Equal(b[wordSize:], pattern[at:int(at)+len(b)-wordSize])
}

// ledger counts payloads: each number once.
type ledger struct {
	seen []uint64 // a bit for each number

	Valid, Bad, Twice uint64
	// Next is the highest number so far, and one.
	Next uint64
}

const maxNumbers = 1 << 26

func newLedger() *ledger { return &ledger{seen: make([]uint64, maxNumbers/64)} }

// take counts one payload and answers its number; ok is false for one that is
// not as it was filled.
func (l *ledger) take(payload []byte) (number uint64, ok bool) {
	number, ok = numberOf(payload)
	if ok && number >= maxNumbers {
		return number, true // hello, goodbye
	}
	if !ok {
		l.Bad++
		return 0, false
	}
	word, bit := &l.seen[number/64], uint64(1)<<(number%64)
	if *word&bit != 0 {
		l.Twice++
		return number, true
	}
	*word |= bit
	l.Valid++
	l.Next = max(l.Next, number+1)
	return number, true
}

func (l *ledger) total() uint64 { return l.Valid + l.Bad + l.Twice }
