// Package names spells what crosses the boundary as hosts in other languages do.
package names

import (
	"encoding/binary"
	"reflect"
	"strings"
	"unicode"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/wasm/abi"
)

// Upper spells CreatePermission as CREATE_PERMISSION.
func Upper(name string) string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		if i > 0 && unicode.IsUpper(r) && (unicode.IsLower(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToUpper(r))
	}
	return b.String()
}

// Stats are the counters' names in the order in which they cross the boundary:
// each is sent across to find out.
func Stats() []string {
	var s client.Stats
	v := reflect.ValueOf(&s).Elem()
	for i := range v.NumField() {
		v.Field(i).SetUint(uint64(i))
	}
	wire := abi.AppendStats(nil, &s)
	names := make([]string, len(wire)/8)
	for i := range names {
		names[i] = v.Type().Field(int(binary.LittleEndian.Uint64(wire[8*i:]))).Name
	}
	return names
}
