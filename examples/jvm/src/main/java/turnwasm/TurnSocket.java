package turnwasm;

import static turnwasm.AbiGen.*;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import turnwasm.TurnException.Kind;

/**
 * A datagram socket at a TURN server: peers see the relayed address. Any thread may use it.
 *
 * <pre>{@code
 * try (var socket = TurnSocket.open("turn:turn.example.org", "user", "password")) {
 *     socket.send(ByteBuffer.wrap(hello), peer);
 *     InetSocketAddress from = socket.receive(buffer);
 * }
 * }</pre>
 */
public final class TurnSocket implements AutoCloseable {
    /** How long {@link #close()} waits for the server's answer. */
    public static final Duration LINGER = Duration.ofSeconds(2);

    /**
     * "The client SHOULD try three different client transport addresses before giving up on this server."
     * https://www.rfc-editor.org/rfc/rfc8656#section-7.4
     */
    private static final int MAX_PORTS = 3;

    /** "... default lifetime value of 600 seconds (10 minutes)". https://www.rfc-editor.org/rfc/rfc8656#section-6 */
    private static final double DEFAULT_LIFETIME = 600_000;

    /** The longest linger, 24 hours in ms: far more than a release takes, and a number that the machine takes. */
    private static final double MAX_LINGER = 86_400_000;

    private final Driver driver;
    private final InetSocketAddress server;
    private final CompletableFuture<Event> opened = new CompletableFuture<>();
    private final CompletableFuture<Closed> closed = new CompletableFuture<>();
    private final Mailbox<Datagram> inbox = new Mailbox<>(1024);
    private final Mailbox<Event> events = new Mailbox<>(64);
    /** Channels that are being bound, by peer. */
    private final Map<InetSocketAddress, CompletableFuture<Void>> binding = new HashMap<>();
    private final Set<InetSocketAddress> channels = new HashSet<>();

    private Client client;
    private UdpPath path;
    private int ports;
    private boolean started;
    private volatile boolean verdictTold;
    private TurnException failure;
    private volatile Event allocation;

    private record Datagram(byte[] payload, InetSocketAddress from) {}

    private TurnSocket(Driver driver, InetSocketAddress server) {
        this.driver = driver;
        this.server = server;
    }

    /** Allocates at the server of a TURN URI, and waits for it: until the server has answered, or about 40 seconds. */
    public static TurnSocket open(String uri, String username, String password) throws IOException {
        return open(null, uri, username, password);
    }

    /** The same with a driver of the caller's. */
    public static TurnSocket open(Driver driver, String uri, String username, String password) throws IOException {
        InetSocketAddress server = TurnUri.parse(uri).resolve();
        TurnSocket socket = new TurnSocket(driver == null ? Driver.shared() : driver, server);
        Records.Writer config = new Records.Writer().address(ATTR_SERVER, server).flag(ATTR_AUTO_PERMISSION);
        Credentials.write(config, username, password);
        try {
            socket.driver.call(now -> socket.start(now, config));
            Driver.await(socket.opened);
            return socket;
        } catch (InterruptedIOException e) {
            socket.driver.submit(now -> socket.release(now, Duration.ZERO));
            throw e;
        } catch (IOException | RuntimeException e) {
            config.wipe(); // a driver that is closed, or has no socket, has not done it
            throw e;
        }
    }

    /** What peers send to. */
    public InetSocketAddress relayedAddress() {
        return allocation.relayed();
    }

    /** Where the server sees us. */
    public InetSocketAddress mappedAddress() {
        return allocation.mapped();
    }

    /** How long the server keeps the allocation from one refresh to the next, which are done by themselves. */
    public Duration lifetime() {
        return allocation.lifetime();
    }

    /** Sends a payload to a peer; the permission that it needs is made with it. Like every datagram it may be lost. */
    public void send(ByteBuffer payload, InetSocketAddress peer) throws IOException {
        byte[] bytes = new byte[payload.remaining()];
        payload.get(bytes);
        driver.call(now -> {
            open().send(now, bytes, peer);
            return null;
        });
    }

    /** Binds a channel to a peer, and waits until the server has agreed: four bytes a payload instead of 36 or more. */
    public void bindChannel(InetSocketAddress peer) throws IOException {
        Driver.await(driver.call(now -> {
            open();
            if (channels.contains(peer)) return CompletableFuture.completedFuture(null); // of which the machine says nothing again
            CompletableFuture<Void> bound = binding.computeIfAbsent(peer, p -> new CompletableFuture<>());
            try {
                client.bindChannel(now, peer);
            } catch (TurnException e) {
                bound(peer, e);
            }
            return bound;
        }));
    }

    /** Waits for a payload, puts it into the buffer, as much as fits, and answers its sender. */
    public InetSocketAddress receive(ByteBuffer into) throws IOException {
        return receive(into, Duration.ofDays(1000));
    }

    /** The same, for so long; null when nothing came. */
    public InetSocketAddress receive(ByteBuffer into, Duration patience) throws IOException {
        Datagram d = inbox.take(patience);
        if (d == null) return null;
        into.put(d.payload, 0, Math.min(d.payload.length, into.remaining()));
        return d.from;
    }

    /** Waits for the next event, for so long; null when there was none. The oldest of 64 that nobody took are dropped. */
    public Event nextEvent(Duration patience) throws IOException {
        return events.take(patience);
    }

    /** The machine's counters, and payloads that nobody took in time. */
    public Map<String, Long> stats() throws IOException {
        Map<String, Long> stats = driver.call(now -> open().stats());
        stats.put("payloadsUnread", inbox.dropped());
        return stats;
    }

    /** Releases the allocation and says what came of it, after the linger at the latest. A second call has the same verdict. */
    public Closed close(Duration linger) throws IOException {
        try {
            if (!closed.isDone()) driver.call(now -> release(now, linger));
        } catch (TurnException e) {
            if (!closed.isDone()) throw e; // it has died meanwhile, with a verdict
        }
        Closed verdict = Driver.await(closed);
        verdictTold = true;
        return verdict;
    }

    /** The same with {@link #LINGER}. That something may be left on the server is an exception, unless it was told before. */
    @Override
    public void close() throws IOException {
        if (verdictTold) return;
        Closed verdict = close(LINGER);
        if (!verdict.outcome().good()) throw new TurnException(Kind.UNRELEASED, "turn: closed " + verdict.outcome() + ": " + verdict.reason());
    }

    // What follows runs on the driver's thread.

    private Void start(double now, Records.Writer config) throws IOException {
        path = UdpPath.open(driver, server, 0, new Eyes());
        ports = 1;
        driver.add(this);
        try {
            client = driver.instance().open(now, config, new Ears());
            started = true;
            client.allocate(now);
        } catch (Throwable e) {
            end(new Closed(Outcome.NOTHING_TO_RELEASE, "", null, Duration.ZERO));
            if (client != null) ask(client::free);
            throw e;
        }
        return null;
    }

    private Client open() throws TurnException {
        if (failure != null) throw failure.again();
        if (client == null || closed.isDone()) throw isClosed("");
        return client;
    }

    private void ship(byte[] datagram, int flow) {
        if (flow == path.flow()) path.send(datagram);
    }

    private interface Call {
        void run() throws TurnException;
    }

    /** Calls the machine where nobody waits for an answer; that it has died every socket was told. */
    private void ask(Call call) {
        try {
            call.run();
        } catch (TurnException e) {
            if (e.kind() != Kind.TRAPPED) fail(e);
        }
    }

    Void release(double now, Duration linger) throws TurnException {
        double most = ms(linger); // before the shut, after which nobody would ask again
        shut(isClosed(""));
        if (client != null && !closed.isDone()) client.close(now, most);
        return null;
    }

    /** A linger in ms; one below 0 is none. */
    private static double ms(Duration linger) {
        return Math.max(0, Math.min(TimeUnit.NANOSECONDS.convert(linger) / 1e6, MAX_LINGER));
    }

    /** What comes from the server. */
    private final class Eyes implements UdpPath.Receiver {
        @Override
        public void received(byte[] datagram, int flow) {
            ask(() -> client.input(Driver.now(), flow, datagram));
        }

        @Override
        public void unreachable(int flow) {
            driver.submit(now -> { // later: a call that sends may be under way
                if (!closed.isDone()) ask(() -> client.pathError(now, flow));
                return null;
            });
        }

        @Override
        public void failed(int flow) {
            ask(() -> client.flowClosed(Driver.now(), flow));
        }
    }

    /** What comes from the machine. */
    private final class Ears implements Instance.Sink {
        @Override
        public void transmit(byte[] datagram, int flow) {
            ship(datagram, flow);
        }

        @Override
        public void data(byte[] payload, InetSocketAddress from) {
            if (from != null) inbox.offer(new Datagram(payload, from));
        }

        @Override
        public void event(Event e) {
            events.push(e);
            switch (e.name()) {
                case "allocated" -> opened.complete(allocation = e);
                case "refreshed" -> refreshed(e);
                case "channelBound" -> bound(e.peer(), null);
                case "channelFailed", "commandDropped" -> bound(e.peer(), TurnException.ofRequest(Kind.REQUEST, e));
                case "needNewPort", "flowNeeded" -> changePort(e.flow());
                case "allocateFailed", "credentialsExpired" -> fail(TurnException.ofRequest(Kind.REQUEST, e));
                case "allocationLost" -> fail(TurnException.ofRequest(Kind.LOST, e));
                case "closed" -> ended(e);
                default -> { }
            }
        }

        @Override
        public void died(TurnException error) {
            TurnSocket.this.died(error);
        }
    }

    private void refreshed(Event e) {
        Event a = allocation;
        allocation = new Event(a.name(), a.method(), a.code(), a.reason(), a.signed(), a.flow(), a.channel(), a.peer(), a.relayed(),
                a.mapped(), e.lifetime(), a.retryAfter(), a.outcome(), a.reuseAfter(), a.until());
    }

    private void bound(InetSocketAddress peer, TurnException failed) {
        if (failed == null) channels.add(peer);
        else channels.remove(peer);
        CompletableFuture<Void> waiting = peer == null ? null : binding.remove(peer);
        if (waiting == null) return;
        if (failed == null) waiting.complete(null);
        else waiting.completeExceptionally(failed);
    }

    /** The server holds another allocation on this local port, says its 437. */
    private void changePort(int wanted) {
        UdpPath old = path;
        try {
            if (ports >= MAX_PORTS) throw new IOException("the server holds allocations on all of " + MAX_PORTS + " local ports");
            path = UdpPath.open(driver, server, wanted, new Eyes());
            ports++;
            ask(() -> client.flowOpened(Driver.now(), wanted));
            old.close(); // after the new one is open, which so cannot get the same port
        } catch (IOException e) {
            ask(() -> client.flowClosed(Driver.now(), wanted));
        }
    }

    /** What went wrong for good; what may be left on the server is released. */
    private void fail(TurnException error) {
        shut(error);
        if (!closed.isDone()) ask(() -> client.close(Driver.now(), LINGER.toMillis()));
    }

    /** Sends everybody away. */
    private void shut(TurnException why) {
        if (failure == null) failure = why;
        inbox.end(failure);
        opened.completeExceptionally(failure);
        for (CompletableFuture<Void> waiting : binding.values()) waiting.completeExceptionally(failure);
        binding.clear();
    }

    private void ended(Event e) {
        ask(client::free);
        shut(isClosed(e.reason()));
        end(new Closed(e.outcome() == null ? Outcome.ABANDONED : e.outcome(), e.reason(), e.until() == 0 ? null : instant(e.until()), e.reuseAfter()));
    }

    /** The machine is not called any more: its last word is shipped, whose answer nobody will hear. */
    void died(TurnException error) {
        if (closed.isDone()) return;
        String reason = error.kind() == Kind.TRAPPED ? "trapped" : "the driver was closed";
        shut(error);
        if (!started) {
            end(new Closed(Outcome.NOTHING_TO_RELEASE, reason, null, Duration.ZERO));
            return;
        }
        Client.Parting parting = client.parting();
        boolean shipped = parting != null && parting.flow() == path.flow();
        if (shipped) path.send(parting.datagram());
        double granted = allocation == null ? 0 : allocation.lifetime().toMillis();
        double until = parting != null && parting.until() > Driver.now() ? parting.until() : Driver.now() + Math.max(DEFAULT_LIFETIME, granted);
        end(new Closed(shipped ? Outcome.UNCONFIRMED : Outcome.ABANDONED, reason, instant(until), Event.duration(until - Driver.now())));
    }

    private static TurnException isClosed(String why) {
        return new TurnException(Kind.CLOSED, CODE_CLOSED, "turn: the socket is closed" + (why.isEmpty() ? "" : ": " + why), null);
    }

    private static Instant instant(double ms) {
        return Instant.now().plus(Event.duration(ms - Driver.now()));
    }

    private void end(Closed verdict) {
        shut(isClosed(""));
        events.end(failure);
        driver.remove(this);
        path.close();
        closed.complete(verdict);
    }
}
