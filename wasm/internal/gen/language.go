package main

import (
	"bytes"
	"fmt"
	"strings"
)

// A language writes a page as a file of its own.
type language struct {
	file     string // from this folder
	comment  string // how a comment's line begins
	foreign  bool   // wants the sections for hosts other than JavaScript
	head     string // above all
	foot     string
	constant func(number) string
	list     func(section) string
	table    func(section) string
}

const head = `Generated from wasm/abi, client and host by wasm/internal/gen ("make gen"). Do not edit.`

var languages = []language{javaScript, python, rust, java}

func (l *language) render(p *page) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s\n\n%s", l.comment, head, l.head)
	for _, s := range p.sections {
		if s.foreign && !l.foreign {
			continue
		}
		if s.comment != "" {
			fmt.Fprintf(&b, "%s%s %s\n", l.indent(), l.comment, s.comment)
		}
		b.WriteString(l.section(s))
		b.WriteByte('\n')
	}
	b.WriteString(l.foot)
	return append(bytes.TrimRight(b.Bytes(), "\n"), '\n')
}

// indent is that of what stands inside a class.
func (l *language) indent() string {
	if l.foot == "" {
		return ""
	}
	return "    "
}

func (l *language) section(s section) string {
	switch {
	case s.list != nil:
		return l.list(s)
	case s.table != nil:
		return l.table(s)
	}
	var b strings.Builder
	for _, n := range s.numbers {
		b.WriteString(l.constant(n))
	}
	return b.String()
}

// lines writes each text with the format.
func lines(list []string, format string) string {
	var b strings.Builder
	for _, s := range list {
		fmt.Fprintf(&b, format, s)
	}
	return b.String()
}

// entries writes each entry, its number and its text, with the format.
func entries(table []entry, format string) string {
	var b strings.Builder
	for _, e := range table {
		fmt.Fprintf(&b, format, e.number, e.text)
	}
	return b.String()
}

var javaScript = language{
	file: "../../../js/src/abi.gen.js", comment: "//",
	constant: func(n number) string {
		format := "export const %s = %d\n"
		if n.name == "MAGIC" {
			format = "export const %s = %#x\n"
		}
		return fmt.Sprintf(format, n.name, n.value)
	},
	list: func(s section) string {
		return fmt.Sprintf("/** @type {ReadonlyArray<string>} */\nexport const %s = [\n%s]\n", s.name, lines(s.list, "\t%q,\n"))
	},
	table: func(s section) string {
		if s.reverse {
			return fmt.Sprintf("/** @type {ReadonlyArray<readonly [name: string, params: number]>} */\nexport const %s = [\n%s]\n", s.name, entries(s.table, "\t[%[2]q, %[1]d],\n"))
		}
		return fmt.Sprintf("/** @type {ReadonlyMap<number, string>} */\nexport const %s = new Map([\n%s])\n", s.name, entries(s.table, "\t[%d, %q],\n"))
	},
}

var python = language{
	file: "../../../examples/python/turnwasm/abi_gen.py", comment: "#", foreign: true,
	constant: func(n number) string { return fmt.Sprintf("%s = %d\n", n.name, n.value) },
	list: func(s section) string {
		return fmt.Sprintf("%s = (\n%s)\n", s.name, lines(s.list, "    %q,\n"))
	},
	table: func(s section) string {
		format := "    %d: %q,\n"
		if s.reverse {
			format = "    %[2]q: %[1]d,\n"
		}
		return fmt.Sprintf("%s = {\n%s}\n", s.name, entries(s.table, format))
	},
}

var rust = language{
	file: "../../../examples/rust/src/abi_gen.rs", comment: "//", foreign: true,
	head: "#![allow(dead_code)]\n#![cfg_attr(rustfmt, rustfmt_skip)]\n\n",
	constant: func(n number) string {
		kind := map[bool]string{true: "i32", false: "u32"}[strings.HasPrefix(n.name, "CODE_")]
		return fmt.Sprintf("pub const %s: %s = %d;\n", n.name, kind, n.value)
	},
	list: func(s section) string {
		return fmt.Sprintf("pub const %s: &[&str] = &[\n%s];\n", s.name, lines(s.list, "    %q,\n"))
	},
	table: func(s section) string {
		kind, format := "(i32, &str)", "    (%d, %q),\n"
		if s.reverse {
			kind, format = "(&str, usize)", "    (%[2]q, %[1]d),\n"
		}
		return fmt.Sprintf("pub const %s: &[%s] = &[\n%s];\n", s.name, kind, entries(s.table, format))
	},
}

var java = language{
	file: "../../../examples/jvm/src/main/java/turnwasm/AbiGen.java", comment: "//", foreign: true,
	head: "package turnwasm;\n\nimport java.util.List;\nimport java.util.Map;\n\n/** The boundary's numbers. */\nfinal class AbiGen {\n    private AbiGen() {}\n\n",
	foot: "}\n",
	constant: func(n number) string {
		return fmt.Sprintf("    static final int %s = %d;\n", n.name, n.value)
	},
	list: func(s section) string {
		body := strings.TrimSuffix(lines(s.list, "            %q,\n"), ",\n")
		return fmt.Sprintf("    static final List<String> %s = List.of(\n%s);\n", s.name, body)
	},
	table: func(s section) string {
		kind, format := "Integer, String", "            Map.entry(%d, %q),\n"
		if s.reverse {
			kind, format = "String, Integer", "            Map.entry(%[2]q, %[1]d),\n"
		}
		body := strings.TrimSuffix(entries(s.table, format), ",\n")
		return fmt.Sprintf("    static final Map<%s> %s = Map.ofEntries(\n%s);\n", kind, s.name, body)
	},
}
