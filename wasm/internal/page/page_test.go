package main

import (
	"os"
	"strings"
	"testing"
)

// What is committed is what the source says now.
func TestPageIsUpToDate(t *testing.T) {
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want, err := fill(string(got))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("wasm/README.md is out of date: run make gen")
	}
}

func TestUnknownPlace(t *testing.T) {
	for _, page := range []string{"<!-- gen nothing -->\n<!-- /gen -->", "<!-- gen doc Nothing -->\n<!-- /gen -->"} {
		if _, err := fill(page); err == nil || !strings.Contains(err.Error(), "othing") {
			t.Errorf("%q: %v", page, err)
		}
	}
}
