package turnwasm;

import static org.junit.jupiter.api.Assertions.*;

import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class DriverTest {
    /** The first client of an instance: generation 1, slot 0. */
    private static final int FIRST = 1 << 18;

    private static TurnSocket open(Driver driver, FakeServer server) throws IOException {
        return TurnSocket.open(driver, server.uri(), FakeServer.USERNAME, FakeServer.PASSWORD);
    }

    @Test
    void jobsWithoutEndStarveNoSocket() throws IOException {
        try (var server = new FakeServer(); var driver = Driver.start(TurnModule.compiled())) {
            submitForEver(driver);
            assertEquals(Outcome.RELEASED, open(driver, server).close(TurnSocket.LINGER).outcome());
        }
    }

    private static void submitForEver(Driver driver) {
        driver.submit(now -> {
            submitForEver(driver);
            return null;
        });
    }

    @Test
    void anErrorOfAJobIsItsCallersAlone() throws IOException {
        try (var driver = Driver.start(TurnModule.compiled())) {
            Error error = new OutOfMemoryError("of a test");
            assertSame(error, assertThrows(IOException.class, () -> driver.call(now -> {
                throw error;
            })).getCause());
            assertEquals("well", driver.<String>call(now -> "well"), "the next job's answer");
        }
    }

    @Test
    void itsThreadCannotBeInterrupted() throws IOException {
        try (var driver = Driver.start(TurnModule.compiled())) {
            Thread thread = driver.call(now -> Thread.currentThread());
            thread.interrupt();
            assertFalse(thread.isInterrupted(), "of which the instance would die");
        }
    }

    @Test
    void closesThoughAReleaseIsRefused() throws IOException {
        try (var server = new FakeServer()) {
            Driver driver = Driver.start(TurnModule.compiled());
            TurnSocket socket = open(driver, server);
            driver.call(now -> driver.instance().call("turn_free", FIRST));
            assertThrows(TurnException.class, socket::stats, "the client is gone");
            driver.close();
            assertEquals(0, server.refreshed(), "the LIFETIME of the parting");
        }
    }
}
