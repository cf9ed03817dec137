package main

import (
	"reflect"
	"testing"
)

func TestRunsEndAtAShorterOne(t *testing.T) {
	for _, c := range []struct {
		sizes []int
		want  [][]int
	}{
		{[]int{5}, [][]int{{5}}},
		{[]int{5, 5, 3, 5}, [][]int{{5, 5, 3}, {5}}},
		{[]int{3, 5, 5}, [][]int{{3}, {5, 5}}},
		{[]int{5, 3, 3}, [][]int{{5, 3}, {3}}},
	} {
		if got := runsOf(c.sizes); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%v: %v, want %v", c.sizes, got, c.want)
		}
	}
}
