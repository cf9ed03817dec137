package turnwasm;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;

/** Checks a TURN server: allocates, echoes payloads through the relay, closes, and says what came of each. */
final class Check {
    private static final int SIZE = 100;
    private static final int MOST_UNDER_WAY = 32;
    /** When nothing comes for so long, what is under way is lost. */
    private static final Duration PATIENCE = Duration.ofSeconds(1);

    private final TurnModule module;
    private final String server;
    private final String username;
    private final String password;
    private final InetSocketAddress peer;
    private final int count;
    private boolean good = true;

    Check(TurnModule module, String server, String username, String password, InetSocketAddress peer, int count) {
        this.module = module;
        this.server = server;
        this.username = username;
        this.password = password;
        this.peer = peer;
        this.count = count;
    }

    boolean run() throws IOException {
        try {
            double cpu;
            double cold;
            double warm;
            try (var driver = Driver.start(module); var socket = TurnSocket.open(driver, server, username, password)) {
                cold = System.currentTimeMillis() - ManagementFactory.getRuntimeMXBean().getStartTime();
                allocated(socket, cold);
                cpu = cpu();
                echo(socket);
                cpu = cpu() - cpu;
                close(socket);
            }
            long begin = System.nanoTime();
            try (var driver = Driver.start(module); var socket = TurnSocket.open(driver, server, username, password)) {
                warm = since(begin);
                good &= socket.close(TurnSocket.LINGER).outcome().good();
            }
            print("type", "figures", "cold_ms", cold, "warm_ms", warm, "rss_kb", Quickstart.status("VmRSS"), "us_per_packet", cpu / (2.0 * count));
        } catch (TurnException e) {
            print("event", "failed", "method", e.method(), "code", Math.max(0, e.code()), "reason", e.reason());
            return false;
        }
        return good;
    }

    private static void allocated(TurnSocket socket, double ms) {
        print("event", "allocated", "relayed", Addresses.format(socket.relayedAddress()), "mapped", Addresses.format(socket.mappedAddress()),
                "lifetime", socket.lifetime().toSeconds(), "ms", ms);
    }

    /** Sends all payloads, at most so many at a time; what is lost is sent once again. A payload is the run's number and its own. */
    private void echo(TurnSocket socket) throws IOException {
        socket.bindChannel(peer);
        long run = ThreadLocalRandom.current().nextLong();
        long[] sent = new long[count];
        double[] roundTrips = new double[count];
        BitSet missing = new BitSet();
        BitSet lost = new BitSet();
        ByteBuffer buffer = ByteBuffer.allocate(65535);
        int back = 0;
        for (int next = 0; next < count || !missing.isEmpty();) {
            for (; next < count && missing.cardinality() < MOST_UNDER_WAY; next++) {
                missing.set(next);
                sent[next] = System.nanoTime();
                socket.send(payload(run, next), peer);
            }
            InetSocketAddress from = socket.receive(buffer.clear(), PATIENCE);
            if (from == null) {
                missing.andNot(lost); // lost twice: given up
                lost.or(missing);
                for (int i : missing.stream().toArray()) socket.send(payload(run, i), peer);
            } else if (buffer.flip().remaining() == SIZE && buffer.getLong() == run) {
                int i = buffer.getInt();
                if (i < 0 || i >= count || !missing.get(i)) continue;
                missing.clear(i);
                roundTrips[back++] = since(sent[i]);
            }
        }
        echoed(Arrays.copyOf(roundTrips, back), lost.cardinality());
    }

    private void echoed(double[] roundTrips, int lost) {
        Arrays.sort(roundTrips);
        print("event", "echoed", "sent", count, "received", roundTrips.length, "lost", lost,
                "rttMs", Map.of("p50", percentile(roundTrips, 50), "p99", percentile(roundTrips, 99)));
        good &= roundTrips.length == count;
    }

    private static ByteBuffer payload(long run, int i) {
        return ByteBuffer.allocate(SIZE).putLong(run).putInt(i).rewind();
    }

    private static double percentile(double[] sorted, int p) {
        return sorted.length == 0 ? 0 : sorted[Math.max(0, (sorted.length * p + 99) / 100 - 1)];
    }

    private void close(TurnSocket socket) throws IOException {
        long begin = System.nanoTime();
        Closed closed = socket.close(TurnSocket.LINGER);
        print("event", "closed", "outcome", closed.outcome(), "reason", closed.reason(), "reuseAfterMs", closed.reuseAfter().toMillis(),
                "until", closed.until() == null ? "" : closed.until(), "ms", since(begin));
        good &= closed.outcome().good();
    }

    /** What the process has used of the processors, in microseconds. */
    private static double cpu() {
        return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime() / 1e3;
    }

    private static double since(long nanoTime) {
        return (System.nanoTime() - nanoTime) / 1e6;
    }

    private static void print(Object... namesAndValues) {
        System.out.println(Json.line(namesAndValues));
    }
}
