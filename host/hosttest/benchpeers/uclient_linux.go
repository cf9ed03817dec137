package main

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"time"

	"github.com/turnwasm/turnwasm/host/hosttest"
)

// remarkUclient prints what coturn's own client does through coturn. It paces
// itself and is no contestant: it sends a packet in a millisecond or two and
// waits for the echo of each, so its figure is mostly that of waking up.
func (b *bench) remarkUclient(ctx context.Context) error {
	const program = "turnutils_uclient"
	if b.coturn == nil {
		return nil
	}
	if _, missing := exec.LookPath(program); missing != nil {
		fmt.Fprintf(b.out, "remark: %s is not installed\n", program)
		return nil
	}
	echo, err := hosttest.StartEcho(b.coturn.Addr().Addr())
	if err != nil {
		return err
	}
	defer echo.Close()
	packets := 10 * b.times(200)
	ctx, cancel := context.WithTimeout(ctx, childLives)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "-u", hosttest.Username, "-w", hosttest.Password,
		"-c", "-m", "1", "-z", "1", "-n", strconv.Itoa(packets), "-l", strconv.Itoa(payloadSize),
		"-p", number(b.coturn.Addr().Port()), "-e", "127.0.0.1", "-r", number(echo.Addr().Port()), "127.0.0.1")
	start := time.Now()
	said, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w", program, err)
	}
	echoed := lastNumber(said)
	cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	fmt.Fprintf(b.out, "remark: %s, which paces itself: %d of %d packets there and back in %.1f s, %.1f us CPU each\n\n",
		program, echoed, packets, time.Since(start).Seconds(), micros(cpu)/float64(max(1, echoed)))
	return nil
}

var echoedPackets = regexp.MustCompile(`tot_recv_msgs=(\d+)`)

// lastNumber is how many packets the program says it has received.
func lastNumber(said []byte) int {
	all := echoedPackets.FindAllSubmatch(said, -1)
	if len(all) == 0 {
		return 0
	}
	n, _ := strconv.Atoi(string(all[len(all)-1][1]))
	return n
}

func number(port uint16) string { return strconv.Itoa(int(port)) }
