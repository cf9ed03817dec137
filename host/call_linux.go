package host

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The system calls of the data path never wait. So the scheduler is not told
// of them: to tell it wakes its monitor thread, when all was idle, and that
// costs as much as to receive a run does.

func sendto(fd uintptr, b []byte) syscall.Errno {
	_, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, fd,
		uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), unix.MSG_DONTWAIT, 0, 0)
	return errno
}

func recvmsg(fd uintptr, m *unix.Msghdr) (int, syscall.Errno) {
	n, _, errno := unix.RawSyscall(unix.SYS_RECVMSG, fd, uintptr(unsafe.Pointer(m)), unix.MSG_DONTWAIT)
	return int(n), errno
}

// fewMessages go out in some microseconds. More may take the time that others
// can make use of.
const fewMessages = 4

func sendmmsg(fd uintptr, messages []mmsghdr) (int, syscall.Errno) {
	first, count := unsafe.SliceData(messages), uintptr(len(messages))
	if count > fewMessages {
		n, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, fd, uintptr(unsafe.Pointer(first)), count, unix.MSG_DONTWAIT, 0, 0)
		return int(n), errno
	}
	n, _, errno := unix.RawSyscall6(unix.SYS_SENDMMSG, fd, uintptr(unsafe.Pointer(first)), count, unix.MSG_DONTWAIT, 0, 0)
	return int(n), errno
}
