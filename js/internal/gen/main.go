// Command gen writes js/src/abi.gen.js: the numbers of package wasm/abi and of
// the package client behind it, and the texts of package host's errors, so that
// nothing of the boundary is written twice.
package main

import (
	"log"
	"os"
)

//go:generate go run . -o ../../src/abi.gen.js

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 || os.Args[1] != "-o" {
		log.Fatal("usage: gen -o FILE")
	}
	text, err := generate()
	if err != nil {
		log.Fatal("gen: ", err)
	}
	if err := os.WriteFile(os.Args[2], text, 0o644); err != nil {
		log.Fatal("gen: ", err)
	}
}
