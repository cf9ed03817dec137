package abi

import (
	"testing"

	"github.com/turnwasm/turnwasm/client"
)

func TestAnonymousCrosses(t *testing.T) {
	for _, want := range []bool{false, true} {
		got, _, err := ParseConfig(AppendConfig(nil, &client.Config{Server: ipv4, Anonymous: want}, nil))
		if err != nil || got.Anonymous != want {
			t.Errorf("Anonymous %v: got %v, %v", want, got.Anonymous, err)
		}
	}
}
