// Package transcript writes down what a script of client/testdata does at the
// boundary: every call and all that came of it.
package transcript

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/turnwasm/turnwasm/client/turntest"
)

// Transcript is of one script, on an instance of its own.
type Transcript struct {
	Script string  `json:"script"`
	Steps  []*Step `json:"steps"`
}

// Record runs the script in a file, which must come out as it is written.
func Record(file string) (*Transcript, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	r := newRecorder()
	driver, err := turntest.NewExportsDriver(r, r.region)
	if err != nil {
		return nil, err
	}
	got, err := turntest.RunScript(string(text), driver)
	if err != nil {
		return nil, err
	}
	if diff := turntest.DiffScript(string(text), got); diff != "" {
		return nil, fmt.Errorf("the script does not come out: %s", diff)
	}
	name := strings.TrimSuffix(filepath.Base(file), ".txt")
	return &Transcript{Script: name, Steps: r.steps}, nil
}
