package turnwasm;

import static org.junit.jupiter.api.Assertions.*;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.PortUnreachableException;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.channels.DatagramChannel;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

class UdpPathTest {
    private static final byte[] LAST_WORD = {1, 2, 3};

    private final FakeChannel channel = new FakeChannel();
    private final List<String> told = new ArrayList<>();
    private final UdpPath path = new UdpPath(channel, UdpPath.buffer(), 7, new UdpPath.Receiver() {
        @Override
        public void received(byte[] datagram, int flow) {
            told.add("received " + datagram.length);
        }

        @Override
        public void unreachable(int flow) {
            told.add("unreachable");
        }

        @Override
        public void failed(int flow) {
            told.add("failed");
        }
    });

    /** What the system says to a datagram that is too long, in its own words. */
    private static IOException tooLong() throws IOException {
        try (DatagramChannel channel = DatagramChannel.open()) {
            channel.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), 9));
            return assertThrows(IOException.class, () -> channel.write(ByteBuffer.allocate(1 << 16)));
        }
    }

    @Test
    void fragmentationNeededIsNoError() throws IOException {
        channel.errors.add(tooLong());
        channel.datagrams = 1;
        path.read();
        assertEquals(List.of("received 4"), told);
        assertTrue(channel.isOpen(), "the path lives");
    }

    @Test
    void anyOtherErrorIsTheMachinesToJudge() {
        channel.errors.add(new IOException("No route to host"));
        path.read();
        assertEquals(List.of("unreachable"), told);
        assertTrue(channel.isOpen(), "the path lives");
    }

    @Test
    void aChannelThatFailsAgainAndAgainIsGivenUp() {
        channel.errors.addAll(Collections.nCopies(1000, new IOException("Network is down")));
        path.read();
        assertEquals(List.of("failed"), told);
        assertFalse(channel.isOpen());
    }

    @Test
    void aSendThatIsToldOfTheOneBeforeIsDoneAgain() {
        channel.errors.add(new PortUnreachableException());
        path.send(LAST_WORD);
        assertArrayEquals(LAST_WORD, channel.written);
        assertEquals(List.of("unreachable"), told, "no read says it any more");
    }

    @Test
    void aSendThatFailsOfItselfIsLost() {
        channel.errors.addAll(Collections.nCopies(2, new IOException("Operation not permitted")));
        path.send(LAST_WORD);
        assertNull(channel.written);
        assertEquals(List.of(), told, "the machine sends again");
    }

    /** A socket of which each call tells an error as long as there is one. */
    private static final class FakeChannel implements ByteChannel {
        final ArrayDeque<IOException> errors = new ArrayDeque<>();
        int datagrams;
        byte[] written;
        private boolean closed;

        @Override
        public int read(ByteBuffer into) throws IOException {
            if (!errors.isEmpty()) throw errors.poll();
            if (datagrams == 0) return 0;
            datagrams--;
            into.putInt(0);
            return 4;
        }

        @Override
        public int write(ByteBuffer from) throws IOException {
            if (!errors.isEmpty()) throw errors.poll();
            written = new byte[from.remaining()];
            from.get(written);
            return written.length;
        }

        @Override
        public boolean isOpen() {
            return !closed;
        }

        @Override
        public void close() {
            closed = true;
        }
    }
}
