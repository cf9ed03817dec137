package turnwasm;

import static turnwasm.AbiGen.ATTR_PASSWORD;
import static turnwasm.AbiGen.ATTR_SERVER;
import static turnwasm.AbiGen.ATTR_USERNAME;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetSocketAddress;

/** 1,000 clients in one instance, 20 instances in turn: nothing is left, and memory is flat. */
final class Leaks {
    private static final int CLIENTS = 1000;
    private static final int INSTANCES = 20;
    private static final int CLIENTS_EACH = 50;

    /** What linear memory may grow by in the second half: Go's heap takes its time to settle. */
    private static final long MOST_LINEAR = 1 << 20;
    /** What the JVM's heap may grow by, garbage left out: less than one instance, of which there are ten more. */
    private static final long MOST_HEAP = 8 << 20;
    /** What the process may grow by, in kB: the JVM gives little back, and compiles code as it goes. */
    private static final long MOST_RESIDENT = 48 << 10;

    private final TurnModule module;
    private final long started = System.nanoTime();
    private int closed;

    private Leaks(TurnModule module) {
        this.module = module;
    }

    static boolean check(TurnModule module) throws IOException {
        return new Leaks(module).run();
    }

    private boolean run() throws IOException {
        Instance one = new Instance(module);
        for (int i = 0; i < CLIENTS / 2; i++) live(one);
        long linearFirst = one.memory();
        for (int i = 0; i < CLIENTS / 2; i++) live(one);
        long linear = one.memory();
        int left = one.clients();

        for (int i = 0; i < INSTANCES / 2; i++) left += instance();
        long heapFirst = heap();
        long residentFirst = Quickstart.status("VmRSS");
        for (int i = 0; i < INSTANCES / 2; i++) left += instance();
        long heap = heap();
        long resident = Quickstart.status("VmRSS");

        System.out.println(Json.line("type", "leaks", "clients_left", left, "closed", closed, "linear_first", linearFirst, "linear", linear,
                "heap_first", heapFirst, "heap", heap, "rss_first_kb", residentFirst, "rss_kb", resident));
        return left == 0 && closed == CLIENTS + INSTANCES * CLIENTS_EACH && linear - linearFirst <= MOST_LINEAR
                && heap - heapFirst <= MOST_HEAP && resident - residentFirst <= MOST_RESIDENT;
    }

    private int instance() throws TurnException {
        Instance instance = new Instance(module);
        for (int i = 0; i < CLIENTS_EACH; i++) live(instance);
        return instance.clients();
    }

    /** A client's life: it allocates, is woken at its deadline, closes, is freed. */
    private void live(Instance instance) throws TurnException {
        Records.Writer config = new Records.Writer().address(ATTR_SERVER, new InetSocketAddress("192.0.2.1", 3478))
                .bytes(ATTR_USERNAME, "alice".getBytes()).bytes(ATTR_PASSWORD, "secret".getBytes());
        Client client = instance.open(now(), config, new Deaf());
        client.allocate(now());
        instance.tick(Math.max(now(), instance.next()));
        client.close(instance.next(), 0);
        client.free();
    }

    private double now() {
        return (System.nanoTime() - started) / 1e6;
    }

    /** What of the heap is in use, garbage left out. */
    private static long heap() {
        System.gc();
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }

    private final class Deaf implements Instance.Sink {
        @Override
        public void transmit(byte[] datagram, int flow) {}

        @Override
        public void data(byte[] payload, InetSocketAddress from) {}

        @Override
        public void event(Event event) {
            if (event.name().equals("closed")) closed++;
        }

        @Override
        public void died(TurnException error) {}
    }
}
