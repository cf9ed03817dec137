package turnwasm;

import static turnwasm.AbiGen.*;

import com.dylibso.chicory.runtime.ExportFunction;
import com.dylibso.chicory.runtime.Memory;
import com.dylibso.chicory.wasm.types.FunctionType;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import turnwasm.TurnException.Kind;

/**
 * One instance of the module: its calls, and what they answer. It has no sockets, no clock and no threads; whoever calls
 * it says what the time is, in ms on a monotonic clock, and does so from one thread at a time.
 *
 * <p>Compiled code looks at every loop whether its thread was interrupted, and dies of it: so it is called from a thread
 * that nobody can interrupt, which the Driver's is.
 */
final class Instance {
    /**
     * Whoever is told what the machine wants of one client. transmit is called while a call is answered and calls nothing
     * of the instance; the others are called when the machine is drained, and may call it again.
     */
    interface Sink {
        /** A datagram to ship to the server. */
        void transmit(byte[] datagram, int flow);

        /** A payload from a peer. */
        void data(byte[] payload, InetSocketAddress from);

        void event(Event event);

        void died(TurnException error);
    }

    /** What one drain may hand out, so that a machine gone wrong cannot keep us for ever. */
    private static final int MAX_ROUNDS = 1 << 16;

    private final Wasi wasi = new Wasi();
    private final com.dylibso.chicory.runtime.Instance guest;
    private final Map<String, ExportFunction> exports = new HashMap<>();
    private final Region region;
    private final Map<Integer, Client> clients = new HashMap<>();
    /** What is told when the machine is drained. */
    private final ArrayDeque<Runnable> telling = new ArrayDeque<>();
    private boolean busy;
    private TurnException dead;

    Instance(TurnModule module) throws TurnException {
        guest = module.instantiate(wasi);
        checkSignatures();
        if (has("_initialize")) call("_initialize");
        int version = (int) call("turn_abi_version");
        if (version != VERSION) throw new TurnException(Kind.MODULE, "turn: the module speaks ABI version " + version + ", this host " + VERSION);
        region = new Region(guest.memory(), (int) call("turn_memory"));
        region.mostMemory((int) Math.min(Integer.MAX_VALUE, (long) guest.memory().maximumPages() * Memory.PAGE_SIZE));
    }

    private boolean has(String export) {
        try {
            return guest.export(export) != null;
        } catch (RuntimeException e) { // chicory has no other way to ask
            return false;
        }
    }

    private void checkSignatures() throws TurnException {
        for (Map.Entry<String, Integer> e : EXPORTS.entrySet()) {
            FunctionType type = guest.exportType(e.getKey());
            if (type.params().size() != e.getValue() || type.returns().size() != 1) {
                throw TurnModule.failed("the module's export " + e.getKey() + " is " + type + ", want " + e.getValue() + " parameters and an answer", null);
            }
        }
    }

    /** Opens a client. It sends nothing before a command of its own. The record is wiped. */
    Client open(double now, Records.Writer config, Sink sink) throws TurnException {
        int handle = answer(callWith(config, "turn_open", f64(now), config.length()));
        Client client = new Client(this, handle, sink);
        clients.put(handle, client);
        drain();
        return client;
    }

    /** Does what is due, for some of the clients at least. */
    void tick(double now) throws TurnException {
        double next = Double.longBitsToDouble(call("turn_tick", f64(now)));
        drain();
        if (Double.isNaN(next)) throw TurnException.ofCode(CODE_ARGUMENT, "");
    }

    /** The next deadline of all clients in ms; +Inf = none. */
    double next() {
        return dead == null ? region.next() : Double.POSITIVE_INFINITY;
    }

    /** How many clients are alive. */
    int clients() {
        return region.clients();
    }

    /** The size of the linear memory in bytes. */
    long memory() {
        return (long) guest.memory().pages() * Memory.PAGE_SIZE;
    }

    /** Why every call throws: the instance has trapped; null while it lives. */
    TurnException dead() {
        return dead;
    }

    Region region() {
        return region;
    }

    /** A control call, then what it brought about is told, refused or not. */
    void control(String name, long... args) throws TurnException {
        finish((int) call(name, args));
    }

    /** A control call that takes a record, which is wiped. */
    void command(Records.Writer record, String name, long... args) throws TurnException {
        finish((int) callWith(record, name, args));
    }

    private void finish(int code) throws TurnException {
        TurnException error = code < 0 ? TurnException.ofCode(code, region.errorText()) : null;
        drain();
        if (error != null) throw error;
    }

    private long callWith(Records.Writer record, String name, long... args) throws TurnException {
        try {
            if (dead != null) throw dead.again();
            region.writeControl(record.bytes(), record.length());
            return call(name, args);
        } finally {
            record.wipe();
        }
    }

    /** A record that a call leaves in control-out. */
    byte[] ask(String name, int handle) throws TurnException {
        return region.controlOut(answer(call(name, handle)));
    }

    void free(Client client) throws TurnException {
        clients.remove(client.handle());
        answer(call("turn_free", client.handle()));
    }

    /** Hands in a datagram, or a payload to send, in a batch of one. It answers the status. */
    int batch(String name, double now, Client client, int kind, int flow, byte[] data, InetSocketAddress address) throws TurnException {
        if (dead != null) throw dead.again();
        if (!region.writeIn(client.handle(), kind, flow, data, address)) return CODE_TOO_LARGE;
        for (int rounds = 0; rounds < MAX_ROUNDS; rounds++) {
            int outs = answer(call(name, f64(now), 1));
            boolean done = region.consumed() == 1;
            int status = region.status();
            take(name, outs);
            poll();
            if (done) {
                tell();
                return status;
            }
        }
        throw die(name, new IllegalStateException("its batches make no progress"));
    }

    /** Calls an export. Whatever it throws is the end: an engine runs later calls on the corrupt state. */
    long call(String name, long... args) throws TurnException {
        if (dead != null) throw dead.again();
        boolean interrupted = Thread.interrupted(); // it would be the end of the instance, not of a call
        try {
            long[] answer = exports.computeIfAbsent(name, guest::export).apply(args);
            return answer == null || answer.length == 0 ? 0 : answer[0];
        } catch (RuntimeException | Error e) {
            throw die(name, e);
        } finally {
            if (interrupted) Thread.currentThread().interrupt();
        }
    }

    /** A negative answer is the machine's error. */
    private int answer(long code) throws TurnException {
        if ((int) code < 0) throw TurnException.ofCode((int) code, region.errorText());
        return (int) code;
    }

    /** Takes what the machine has to say, then tells it. */
    private void drain() throws TurnException {
        poll();
        tell();
    }

    private void poll() throws TurnException {
        for (int rounds = 0; region.pending(); rounds++) {
            if (rounds > MAX_ROUNDS) throw die("turn_poll", new IllegalStateException("it does not drain"));
            take("turn_poll", (int) call("turn_poll"));
        }
    }

    /** Reads the out-descriptors of a call. */
    private void take(String name, int n) throws TurnException {
        List<Region.Out> outs = new ArrayList<>(Math.max(n, 0));
        try {
            for (int i = 0; i < n; i++) outs.add(region.out(i));
            for (Region.Out d : outs) {
                Client client = clients.get(d.client());
                if (client != null) take(client, d);
            }
        } catch (RuntimeException e) { // bounds, a record that ends inside an attribute
            throw die(name, e);
        }
    }

    private void take(Client client, Region.Out d) {
        Sink sink = client.sink();
        for (int i = 0; i < d.count(); i++) {
            byte[] data = region.read(d.offset() + i * d.stride(), d.length());
            switch (d.kind()) {
                case KIND_TRANSMIT -> sink.transmit(data, d.flow());
                case KIND_DATA -> telling.add(() -> sink.data(data, d.address()));
                case KIND_EVENT -> {
                    Event event = Event.read(data);
                    telling.add(() -> sink.event(event));
                }
                case KIND_PARTING -> client.keep(data.length == 0 ? null : new Client.Parting(d.flow(), data, Double.longBitsToDouble(d.tag())));
                default -> { } // of a later version
            }
        }
    }

    /** Tells what was taken, in its order. Whoever is told may call again: what comes of it is told behind the rest. */
    private void tell() {
        if (busy) return;
        busy = true;
        try {
            for (Runnable next; (next = telling.poll()) != null;) next.run();
        } finally {
            busy = false;
        }
    }

    /** Ends the instance: nothing of it is called any more. */
    private TurnException die(String name, Throwable cause) {
        if (dead != null) return dead;
        String last = wasi.lastWords();
        String text = "turn: the instance died in " + name + ": " + cause + (last.isEmpty() ? "" : ": " + last);
        dead = new TurnException(Kind.TRAPPED, 0, text, cause);
        List<Client> all = List.copyOf(clients.values());
        clients.clear();
        for (Client client : all) telling.add(() -> client.sink().died(dead));
        tell();
        return dead;
    }

    static long f64(double ms) {
        return Double.doubleToRawLongBits(ms);
    }
}
