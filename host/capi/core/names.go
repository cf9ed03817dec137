//go:build unix

package core

import (
	"reflect"
	"strings"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/host"
)

// EventName is how other hosts call it: "allocated".
func EventName(k client.EventKind) string {
	name := k.String()
	return strings.ToLower(name[:1]) + name[1:]
}

// Ignored is the sum of the counters of what was received and not taken.
func Ignored(s host.Stats) (n uint64) {
	v := reflect.ValueOf(s.Stats)
	for i := range v.NumField() {
		if strings.HasPrefix(v.Type().Field(i).Name, "Ignored") {
			n += v.Field(i).Uint()
		}
	}
	return n
}
