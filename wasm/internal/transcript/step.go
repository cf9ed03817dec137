package transcript

import (
	"encoding/hex"
	"fmt"
	"math"

	"github.com/turnwasm/turnwasm/wasm/abi"
)

// Step is a call and what came of it.
type Step struct {
	Call string  `json:"call"`           // the export
	Now  *Number `json:"now,omitempty"`  // ms, where the export takes it
	Args []any   `json:"args,omitempty"` // the others, in the ABI's order, without lengths and counts
	In   Bytes   `json:"in,omitempty"`   // control-in of turn_open and turn_command
	Desc *Desc   `json:"desc,omitempty"` // turn_input and turn_send: a batch of one

	Ret     Number   `json:"ret"`               // turn_tick: null = +Inf
	Status  abi.Code `json:"status,omitempty"`  // of the in-descriptor
	Error   string   `json:"error,omitempty"`   // in control-out, where Ret or Status is negative
	Control Bytes    `json:"control,omitempty"` // control-out of turn_state and turn_stats
	Next    Number   `json:"next"`              // the header's deadline, null = +Inf
	Out     []Desc   `json:"out"`               // what the call answered, and turn_poll until nothing was pending
}

// Desc is a descriptor and what it points at; where that lies is the host's
// matter on the way in and the guest's on the way out.
type Desc struct {
	Client  int32    `json:"client"`
	Kind    abi.Kind `json:"kind"`
	Family  uint8    `json:"family,omitempty"`
	Port    uint16   `json:"port,omitempty"`
	Flow    uint32   `json:"flow,omitempty"`
	Peer    uint32   `json:"peer,omitempty"`
	Status  abi.Code `json:"status,omitempty"`
	Channel uint32   `json:"channel,omitempty"`
	Addr    Bytes    `json:"addr,omitempty"` // 16 bytes
	Tag     string   `json:"tag,omitempty"`  // u64, 16 hexadecimal digits; omitted when 0
	Data    any      `json:"data"`           // way in: Bytes; out: []Bytes, a packet each
}

// Bytes are bytes as hexadecimal digits.
type Bytes []byte

func (h Bytes) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(h)), nil }

// Number is an f64 that may be +Inf, which JSON does not know: null.
type Number float64

func (n Number) MarshalJSON() ([]byte, error) {
	if math.IsInf(float64(n), 1) {
		return []byte("null"), nil
	}
	return fmt.Appendf(nil, "%v", float64(n)), nil
}
