package core

import "syscall"

func pipe(ends *[2]int) error { return syscall.Pipe2(ends[:], syscall.O_CLOEXEC|syscall.O_NONBLOCK) }
