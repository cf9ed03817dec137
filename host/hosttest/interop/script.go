package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	ht "github.com/turnwasm/turnwasm/host/hosttest"
)

// check runs the checker of examples/node in the column's runtime. It trusts our
// authority by the variables that the runtimes have for it.
func (c *cell) check(ctx context.Context) error {
	args := append(c.column.run[1:len(c.column.run):len(c.column.run)],
		"-json", "-n", "20", "-size", "100", "-user", ht.Username, "-pass", ht.Password)
	args = append(append(args, c.arguments...), c.config.URL)
	if _, err := c.authority.WriteFiles(c.dir); err != nil {
		return err
	}
	ca := filepath.Join(c.dir, ht.FileCA)
	cmd := exec.CommandContext(ctx, c.column.run[0], args...)
	cmd.Env = append(os.Environ(), "NODE_EXTRA_CA_CERTS="+ca, "DENO_CERT="+ca)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err == nil {
		err = echoedAndReleased(out)
	}
	if err != nil {
		err = fmt.Errorf("%w\n%s%s", err, out, stderr.Bytes())
	}
	return err
}

// echoedAndReleased reads the checker's lines.
func echoedAndReleased(out []byte) error {
	var echoed, released bool
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		var record struct {
			Event          string
			Sent, Received int
			Outcome        string
		}
		if err := json.Unmarshal(lines.Bytes(), &record); err != nil {
			return err
		}
		echoed = echoed || record.Event == "echoed" && record.Received > 0
		released = released || record.Event == "closed" && record.Outcome == "released"
	}
	if !echoed || !released {
		return fmt.Errorf("echoed: %t, released: %t", echoed, released)
	}
	return nil
}
