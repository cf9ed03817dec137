package hello;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import turnwasm.TurnSocket;

/** Sends one message through a relay, waits for an answer, and takes the allocation back. */
final class Hello {
    private Hello() {}

    public static void main(String[] args) throws Exception {
        if (args.length != 5) throw new IllegalArgumentException("usage: Hello turn:HOST[:PORT] USERNAME PASSWORD PEER-IP PEER-PORT");
        var peer = new InetSocketAddress(args[3], Integer.parseInt(args[4]));
        try (var socket = TurnSocket.open(args[0], args[1], args[2])) {
            Runtime.getRuntime().addShutdownHook(new Thread(() -> close(socket))); // a signal unwinds no try
            System.out.println("peers see us as " + socket.relayedAddress());
            socket.send(StandardCharsets.UTF_8.encode("hello"), peer);
            var answer = ByteBuffer.allocate(1500);
            var from = socket.receive(answer, Duration.ofSeconds(5));
            System.out.println(from == null ? "no answer" : StandardCharsets.UTF_8.decode(answer.flip()) + " from " + from);
            System.out.println("closed " + socket.close(Duration.ofSeconds(2)).outcome());
        }
    }

    /** Does nothing when it is closed already. */
    private static void close(TurnSocket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            System.err.println(e.getMessage());
        }
    }
}
