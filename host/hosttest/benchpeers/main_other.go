//go:build !linux

package main

import (
	"context"
	"errors"
)

func (o *flags) run(context.Context) error {
	return errors.New("it needs Linux: the sockets' offloads that are compared are Linux's")
}
