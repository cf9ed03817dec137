package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
)

// lines are the records that a program printed.
type lines []line

// line is one of them: what it is stands in "event" or "type".
type line map[string]any

func readLines(out []byte) (*lines, error) {
	var l lines
	s := bufio.NewScanner(bytes.NewReader(out))
	for s.Scan() {
		one := line{}
		if err := json.Unmarshal(s.Bytes(), &one); err != nil {
			return &l, fmt.Errorf("not JSON: %q: %w", s.Text(), err)
		}
		l = append(l, one)
	}
	return &l, s.Err()
}

func (l *lines) all(what string) (some []line) {
	for _, one := range *l {
		if one.text("event") == what || one.text("type") == what {
			some = append(some, one)
		}
	}
	return some
}

// one is the last of them, nil when there is none.
func (l *lines) one(what string) line {
	all := l.all(what)
	if len(all) == 0 {
		return nil
	}
	return all[len(all)-1]
}

func (l line) text(key string) string {
	s, _ := l[key].(string)
	return s
}

func (l line) number(key string) float64 {
	f, _ := l[key].(float64)
	return f
}
