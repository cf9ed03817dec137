package instance_test

import (
	"encoding/binary"
	"testing"

	"github.com/turnwasm/turnwasm/wasm/abi"
	"github.com/turnwasm/turnwasm/wasm/abitest"
)

func TestHostileCalls(t *testing.T) { abitest.Hostile(newWorld(t)) }

// What a host accepts of a header that lies is inside of the memory.
func TestHostileHeader(t *testing.T) {
	_, region := newInstance(abi.DefaultLayout(), nil)
	for at := 0; at < 64; at += 4 {
		for _, value := range []uint32{1, 0x7fffffff, 0xffffffff} {
			mem := append([]byte(nil), region...)
			binary.LittleEndian.PutUint32(mem[at:], value)
			l, err := abi.LoadLayout(mem)
			if err != nil {
				continue
			}
			_, _, _ = l.ControlIn.Of(mem), l.ControlOut.Of(mem), l.Arena.Of(mem)
			for _, table := range []abi.Table{l.In, l.Out} {
				if table.Count > 0 {
					_ = table.At(mem, int(table.Count)-1)
				}
			}
		}
	}
	if _, err := abi.LoadLayout(region[:100]); err == nil {
		t.Fatal("100 bytes are no region")
	}
}

func TestScenarioRepeats(t *testing.T) {
	a, b := newWorld(t), newWorld(t)
	abitest.Scenario(a)
	abitest.Scenario(b)
	if a.Sum() != b.Sum() {
		t.Fatal("the same calls gave other bytes")
	}
	echoed := 0
	for _, packets := range a.Data {
		echoed += len(packets)
	}
	if echoed < 100 {
		t.Fatalf("only %d payloads came back", echoed)
	}
}
