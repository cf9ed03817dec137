package transcript

import (
	"encoding/json"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/turnwasm/turnwasm/wasm/abi"
)

const scripts = "../../../client/testdata/"

// What a host is given and what comes of it, for a script that everybody can
// follow.
func TestFirstSteps(t *testing.T) {
	r, err := Record(scripts + "first_steps.txt")
	if err != nil {
		t.Fatal(err)
	}
	var calls []string
	out := map[abi.Kind]int{}
	for _, s := range r.Steps {
		if s.Call != "turn_state" && s.Call != "turn_stats" {
			calls = append(calls, s.Call)
		}
		for _, d := range s.Out {
			out[d.Kind] += len(d.Data.([]Bytes))
		}
	}
	want := []string{"turn_open", "turn_command", "turn_input", "turn_input", "turn_send", "turn_input", "turn_input", "turn_close", "turn_input"}
	if !reflect.DeepEqual(calls, want) {
		t.Errorf("calls %v, want %v", calls, want)
	}
	if want := (map[abi.Kind]int{abi.KindTransmit: 5, abi.KindData: 1, abi.KindEvent: 3, abi.KindParting: 3}); !reflect.DeepEqual(out, want) {
		t.Errorf("out %v, want %v", out, want)
	}
}

// Every script gives a transcript, the same each time, that JSON can hold, and
// together they call nearly everything.
func TestEveryScript(t *testing.T) {
	files, err := filepath.Glob(scripts + "*.txt")
	if err != nil || len(files) < 200 {
		t.Fatal(len(files), err)
	}
	called := map[string]bool{}
	for _, file := range files {
		var lines [2]string
		for i := range lines {
			r, err := Record(file)
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			line, err := json.Marshal(r)
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			lines[i] = string(line)
			for _, s := range r.Steps {
				called[s.Call] = true
			}
		}
		if lines[0] != lines[1] {
			t.Errorf("%s: two runs differ", file)
		}
	}
	for _, e := range abi.Exports {
		switch e.Name {
		case "turn_abi_version", "turn_memory", "turn_poll", "turn_peer", "turn_snapshot", "turn_restore": // not a script's
		default:
			if !called[e.Name] {
				t.Errorf("no script calls %s", e.Name)
			}
		}
	}
}
