package main

import (
	"bytes"
	"os"
	"testing"
)

// What is committed is what the packages say now.
func TestGeneratedIsUpToDate(t *testing.T) {
	want, err := generate()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../src/abi.gen.js")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("js/src/abi.gen.js is out of date: run make gen")
	}
}
