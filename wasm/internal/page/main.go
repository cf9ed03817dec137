// Command page fills in what wasm/README.md takes over from the source: what
// stands between
//
//	<!-- gen NAME -->
//	<!-- /gen -->
//
// is written anew, by NAME. Whoever writes a host reads that page; so it says
// what module and hosts are built from, and nothing else.
package main

import (
	"fmt"
	"log"
	"os"
	"regexp"
	"strings"
)

//go:generate go run .

// file is the page, from this folder, where tests and go generate run.
const file = "../../README.md"

func main() {
	log.SetFlags(0)
	log.SetPrefix("page: ")
	old, err := os.ReadFile(file)
	if err != nil {
		log.Fatal(err)
	}
	text, err := fill(string(old))
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		log.Fatal(err)
	}
}

var place = regexp.MustCompile(`(?s)<!-- gen ([^>]+) -->\n.*?<!-- /gen -->`)

// fill writes each place anew.
func fill(page string) (string, error) {
	b, err := newBook()
	if err != nil {
		return "", err
	}
	page = place.ReplaceAllStringFunc(page, func(whole string) string {
		name := place.FindStringSubmatch(whole)[1]
		text, fault := b.text(name)
		if fault != nil && err == nil {
			err = fmt.Errorf("%s: %w", name, fault)
		}
		return fmt.Sprintf("<!-- gen %s -->\n%s\n<!-- /gen -->", name, strings.TrimRight(text, "\n"))
	})
	return page, err
}
