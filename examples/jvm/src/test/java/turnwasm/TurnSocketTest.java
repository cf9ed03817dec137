package turnwasm;

import static org.junit.jupiter.api.Assertions.*;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class TurnSocketTest {
    private static final InetSocketAddress PEER = new InetSocketAddress("192.0.2.7", 9000);

    private static TurnSocket open(FakeServer server) throws IOException {
        return TurnSocket.open(server.uri(), FakeServer.USERNAME, FakeServer.PASSWORD);
    }

    @Test
    void opensAndCloses() throws IOException {
        try (var server = new FakeServer(); var socket = open(server)) {
            assertEquals(new InetSocketAddress("127.0.0.1", 49152), socket.relayedAddress());
            assertEquals(Duration.ofMinutes(10), socket.lifetime());
            assertEquals("allocated", socket.nextEvent(Duration.ZERO).name());
            Closed closed = socket.close(TurnSocket.LINGER);
            assertEquals(Outcome.RELEASED, closed.outcome());
            assertSame(closed, socket.close(Duration.ZERO), "a second close has the same verdict");
            assertEquals(0, server.refreshed(), "the release's LIFETIME");
        }
    }

    @Test
    void bindsAChannelTwice() throws IOException {
        try (var server = new FakeServer(); var socket = open(server)) {
            socket.bindChannel(PEER);
            socket.bindChannel(PEER);
            socket.close(TurnSocket.LINGER);
            assertEquals(TurnException.Kind.CLOSED, assertThrows(TurnException.class, () -> socket.bindChannel(PEER)).kind());
        }
    }

    @Test
    void lingersAsLongAsAMachineCan() throws IOException {
        try (var server = new FakeServer(); var socket = open(server); var other = open(server)) {
            assertEquals(Outcome.RELEASED, socket.close(ChronoUnit.FOREVER.getDuration()).outcome());
            assertEquals(Outcome.UNCONFIRMED, other.close(Duration.ofSeconds(-1)).outcome());
        }
    }

    /** Compiled code dies when its thread was interrupted: so it is not the caller's. */
    @Test
    void anInterruptedCallerHarmsNobody() throws IOException {
        try (var server = new FakeServer(); var socket = open(server)) {
            Thread.currentThread().interrupt();
            assertThrows(InterruptedIOException.class, () -> socket.send(ByteBuffer.allocate(9), PEER));
            assertThrows(InterruptedIOException.class, () -> socket.receive(ByteBuffer.allocate(9)));
            assertThrows(InterruptedIOException.class, () -> open(server));
            assertThrows(InterruptedIOException.class, () -> Driver.start(TurnModule.compiled()));
            assertTrue(Thread.interrupted(), "the interrupt stays the caller's");
            assertTrue(socket.stats().get("payloadsSent") >= 0, "the instance lives");
        }
    }

    @Test
    void takesAnotherPortAfter437() throws IOException {
        try (var server = new FakeServer(2); var socket = open(server)) {
            assertEquals(Outcome.RELEASED, socket.close(TurnSocket.LINGER).outcome());
        }
    }

    @Test
    void givesUpAfterThreePorts() throws IOException {
        try (var server = new FakeServer(3)) {
            TurnException e = assertThrows(TurnException.class, () -> open(server));
            assertEquals(437, e.code(), e.getMessage());
        }
    }

    @Test
    void aDriverThatIsClosedReleases() throws IOException {
        try (var server = new FakeServer()) {
            Driver driver = Driver.start(TurnModule.compiled());
            TurnSocket socket = TurnSocket.open(driver, server.uri(), FakeServer.USERNAME, FakeServer.PASSWORD);
            driver.close();
            assertEquals(0, server.refreshed(), "the release's LIFETIME");
            assertEquals(TurnException.Kind.CLOSED, assertThrows(TurnException.class, () -> socket.receive(ByteBuffer.allocate(9))).kind());
            assertEquals(Outcome.UNCONFIRMED, socket.close(Duration.ZERO).outcome());
        }
    }

    @Test
    void recordsThatEndTooEarlyAreRefused() {
        byte[] record = {2, 0, 8, 0, 1, 0};
        assertThrows(RuntimeException.class, () -> Event.read(record));
    }
}
