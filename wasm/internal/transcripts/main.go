// Command transcripts runs the scripts of client/testdata through the boundary
// and writes down every call and all that came of it, as JSON lines: one script
// each. A host in any language replays them on the module, an instance for each
// script, and compares: it needs no STUN codec for that, and cannot misread a
// script.
//
//	go run ./wasm/internal/transcripts > transcripts.jsonl
//
// See transcript.Step for what a line holds.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"

	"github.com/turnwasm/turnwasm/wasm/internal/transcript"
)

const scripts = "client/testdata/*.txt"

func main() {
	log.SetFlags(0)
	log.SetPrefix("transcripts: ")
	out := bufio.NewWriter(os.Stdout)
	if err := write(out, scripts); err != nil {
		log.Fatal(err)
	}
	if err := out.Flush(); err != nil {
		log.Fatal(err)
	}
}

func write(w io.Writer, pattern string) error {
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		return fmt.Errorf("no scripts at %s: %v", pattern, err)
	}
	lines := json.NewEncoder(w)
	for _, file := range files {
		t, err := transcript.Record(file)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if err := lines.Encode(t); err != nil {
			return err
		}
	}
	return nil
}
