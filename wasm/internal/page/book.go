package main

import (
	"fmt"
	"go/ast"
	"go/doc"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
)

// root is the repository's, from this folder.
const root = "../../.."

// book is the source as it is written.
type book struct {
	abi, client []*ast.File // in the order of their names
	abiDoc      *doc.Package
}

func newBook() (*book, error) {
	files := token.NewFileSet()
	abi, err := load(files, "wasm/abi")
	if err != nil {
		return nil, err
	}
	client, err := load(files, "client")
	if err != nil {
		return nil, err
	}
	page, err := doc.NewFromFiles(files, abi, "abi", doc.AllDecls|doc.PreserveAST)
	return &book{abi: abi, client: client, abiDoc: page}, err
}

func load(files *token.FileSet, dir string) (list []*ast.File, err error) {
	names, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
	if err != nil || len(names) == 0 {
		return nil, fmt.Errorf("%s: no Go files: %v", dir, err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(files, name, nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		list = append(list, file)
	}
	return list, nil
}

// text is what stands at a place.
func (b *book) text(name string) (string, error) {
	if section, is := strings.CutPrefix(name, "doc "); is {
		return b.section(section)
	}
	write, ok := map[string]func() (string, error){
		"imports": imports, "header": header, "exchange": b.exchange, "descriptor": descriptor, "config": b.configs,
		"attributes": b.attributes, "commands": b.commands, "codes": b.codes,
		"events":   func() (string, error) { return b.told("EventKind", "", "event") },
		"outcomes": func() (string, error) { return b.told("Outcome", "", "outcome") },
		"phases":   func() (string, error) { return b.told("Phase", "Phase", "phase") },
		"values":   b.values,
		"kinds":    b.kinds, "flows": flows, "formats": b.formats, "config fields": b.configFields,
		"counters": counters,
	}[name]
	if !ok {
		return "", fmt.Errorf("there is no place %q", name)
	}
	return write()
}

// section is a part of package abi's page, as Markdown.
func (b *book) section(title string) (string, error) {
	page := b.abiDoc.Parser().Parse(b.abiDoc.Doc)
	var part comment.Doc
	inside := false
	for _, block := range page.Content {
		if h, is := block.(*comment.Heading); is {
			inside = plain(h.Text) == title
			continue
		}
		if inside {
			part.Content = append(part.Content, block)
		}
	}
	if len(part.Content) == 0 {
		return "", fmt.Errorf("package abi's page has no section %q", title)
	}
	return string(b.abiDoc.Printer().Markdown(&part)), nil
}

func plain(text []comment.Text) string {
	var s strings.Builder
	for _, t := range text {
		if p, is := t.(comment.Plain); is {
			s.WriteString(string(p))
		}
	}
	return s.String()
}
