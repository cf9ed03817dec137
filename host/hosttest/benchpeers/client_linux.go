package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

const (
	openIn     = 10 * time.Second
	helloAgain = 20 * time.Millisecond
	helloTries = 250
)

// runClient is a contestant's process: it opens its client, says "ready" when
// payloads go through its channel, works on a line "go", prints what it came
// to, and stays until its standard input ends.
func runClient(s *spec) error {
	c, err := newContestant(s.Who)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), openIn)
	defer cancel()
	if err := c.open(ctx, s); err != nil {
		return err
	}
	if err := greet(c); err != nil {
		return err
	}
	fmt.Println("ready")
	orders := bufio.NewReader(os.Stdin)
	if _, err := orders.ReadString('\n'); err != nil {
		return err
	}
	result, err := perform(c, s)
	if err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, orders)
	return c.close()
}

// greet says hello until the far side has said it back, which it does for a
// hello that came by ChannelData alone.
func greet(c contestant) error {
	heard := make(chan error, 1)
	go func() {
		b := make([]byte, 2048)
		for {
			n, err := c.read(b)
			number, ok := numberOf(b[:n])
			if err != nil || ok && number == hello {
				heard <- err
				return
			}
		}
	}()
	word := make([]byte, wordSize)
	fill(word, hello)
	again := time.NewTicker(helloAgain)
	defer again.Stop()
	for range helloTries {
		if err := c.write(word); err != nil {
			return err
		}
		select {
		case err := <-heard:
			return err
		case <-again.C:
		}
	}
	return errors.New("no channel: the far side got no ChannelData")
}

func perform(c contestant, s *spec) (*told, error) {
	switch {
	case s.receives():
		return receive(c, s)
	case s.Work == workPingPong:
		return pingPong(c, s)
	}
	return send(c, s)
}
