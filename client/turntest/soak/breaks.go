package main

// bug is a named mistake: in File, under the module's root, Old becomes New.
// Old stands there exactly once, which a test checks, so that a bug cannot rot.
type bug struct {
	Name, What string
	File       string
	Old, New   string
}

// bugs are planted one at a time by -break NAME; the rules must find each.
var bugs = []bug{}
