package abi

import (
	"reflect"
	"testing"

	"github.com/turnwasm/turnwasm/client"
)

func TestAuthenticationCrosses(t *testing.T) {
	want := client.Config{
		Server: ipv4, Username: []byte("kid"), Password: []byte{0, 1, 0xff}, AccessToken: []byte("\x00token"), Anonymous: true,
	}
	if got, _, err := ParseConfig(AppendConfig(nil, &want, nil)); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("config %+v, want %+v (%v)", got, want, err)
	}
	plain := client.Config{Server: ipv4}
	if got, _, err := ParseConfig(AppendConfig(nil, &plain, nil)); err != nil || got.Anonymous || got.AccessToken != nil {
		t.Errorf("config %+v (%v)", got, err)
	}
	command := Command{Cmd: CmdSetToken, Username: []byte("kid"), Password: []byte{0}, AccessToken: []byte{1, 2}}
	var got Command
	if err := got.Parse(AppendCommand(nil, &command)); err != nil || string(got.AccessToken) != "\x01\x02" || got.Cmd != CmdSetToken {
		t.Errorf("command %+v, want %+v (%v)", got, command, err)
	}
	event := client.Event{Kind: client.TokenNeeded, ServerName: "turn.example.org"}
	if got, err := ParseEvent(AppendEvent(nil, &event)); err != nil || !reflect.DeepEqual(got, event) {
		t.Errorf("event %+v, want %+v (%v)", got, event, err)
	}
}
