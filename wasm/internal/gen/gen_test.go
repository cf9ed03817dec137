package main

import (
	"bytes"
	"os"
	"testing"
)

// What is committed is what the packages say now.
func TestGeneratedIsUpToDate(t *testing.T) {
	p := newPage()
	if p.err != nil {
		t.Fatal(p.err)
	}
	for _, l := range languages {
		got, err := os.ReadFile(l.file)
		if err != nil {
			t.Error(err)
		}
		if !bytes.Equal(got, l.render(p)) {
			t.Errorf("%s is out of date: run make gen", l.file)
		}
	}
}
