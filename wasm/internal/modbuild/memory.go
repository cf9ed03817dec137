package modbuild

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// MemoryMax is the most linear memory that the module can grow to, in bytes.
// Go writes none: one engine was seen to grow to 4 GiB in seconds.
const MemoryMax = 512 << 20

const (
	wasmPage      = 64 << 10
	memorySection = 5
	preamble      = 8 // magic and version
)

var errWasm = errors.New("not a WebAssembly module of one memory")

// limitMemory answers the module with a maximum in its memory section.
func limitMemory(module []byte, maximum uint64) ([]byte, error) {
	for at := preamble; at < len(module); {
		id := module[at]
		size, n := binary.Uvarint(module[at+1:])
		start := at + 1 + n
		if n <= 0 || size > uint64(len(module)-start) {
			return nil, errWasm
		}
		end := start + int(size)
		if id == memorySection {
			section, err := limits(module[start:end], maximum)
			if err != nil {
				return nil, err
			}
			out := append([]byte(nil), module[:at]...)
			out = append(out, memorySection)
			out = binary.AppendUvarint(out, uint64(len(section)))
			out = append(out, section...)
			return append(out, module[end:]...), nil
		}
		at = end
	}
	return nil, errWasm
}

// limits writes the section anew: one memory, of the minimum that it had.
// WebAssembly's LEB128 is binary's Uvarint.
func limits(section []byte, maximum uint64) ([]byte, error) {
	if len(section) < 3 || section[0] != 1 || section[1] > 1 {
		return nil, errWasm
	}
	minimum, n := binary.Uvarint(section[2:])
	if n <= 0 {
		return nil, errWasm
	}
	pages := maximum / wasmPage
	if minimum > pages {
		return nil, fmt.Errorf("the module starts with %d pages of memory, the maximum is %d", minimum, pages)
	}
	out := []byte{1, 1} // one memory, with a maximum
	out = binary.AppendUvarint(out, minimum)
	return binary.AppendUvarint(out, pages), nil
}
