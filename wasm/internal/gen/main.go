// Command gen writes the numbers of package wasm/abi and of the package client
// behind it, and the texts of package host's errors, as a file of each language
// that a host is written in, so that nothing of the boundary is written twice.
package main

import (
	"log"
	"os"
	"path/filepath"
)

//go:generate go run .

func main() {
	log.SetFlags(0)
	log.SetPrefix("gen: ")
	p := newPage()
	if p.err != nil {
		log.Fatal(p.err)
	}
	for _, l := range languages {
		if err := os.MkdirAll(filepath.Dir(l.file), 0o755); err != nil {
			log.Fatal(err)
		}
		if err := os.WriteFile(l.file, l.render(p), 0o644); err != nil {
			log.Fatal(err)
		}
	}
}
