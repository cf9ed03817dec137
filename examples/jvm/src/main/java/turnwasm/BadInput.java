package turnwasm;

import static turnwasm.AbiGen.*;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/** What goes wrong is an error with a code and a text, and never the end of the program. */
final class BadInput {
    private interface Case {
        void run() throws IOException;
    }

    private static final InetSocketAddress PEER = new InetSocketAddress("192.0.2.7", 9000);

    private final TurnModule module;
    private final String trap;
    private boolean good = true;

    BadInput(TurnModule module, String trap) {
        this.module = module;
        this.trap = trap;
    }

    boolean run() throws IOException {
        modules();
        handles();
        arguments();
        try (FakeServer server = new FakeServer()) {
            sockets(server);
            if (trap != null) trapped(server);
        }
        return good;
    }

    /** Runs a case, which is to fail in this way: the kind of a TurnException, or "argument" for a caller's mistake. */
    private void refuses(String name, String want, Case mistake) {
        String code = "none";
        String text = "it was taken";
        int number = 0;
        try {
            mistake.run();
        } catch (TurnException e) {
            code = e.kind().name().toLowerCase(Locale.ROOT);
            number = e.code();
            text = e.getMessage();
        } catch (IllegalArgumentException e) {
            code = "argument";
            text = e.getMessage();
        } catch (IOException | RuntimeException e) {
            text = e.toString();
        }
        System.out.println(Json.line("type", "bad-input", "case", name, "code", code, "number", number, "text", text));
        if (code.equals(want)) return;
        good = false;
        System.err.println("bad-input: " + name + ": want " + want + ", got " + code + ": " + text);
    }

    private void modules() {
        Map<String, Integer> exports = new HashMap<>(EXPORTS);
        refuses("another version", "module", () -> new Instance(TurnModule.of(TinyModule.of(exports, VERSION + 1))));
        refuses("no region", "module", () -> new Instance(TurnModule.of(TinyModule.of(exports, VERSION))));
        exports.put("turn_send", 1);
        refuses("another signature", "module", () -> new Instance(TurnModule.of(TinyModule.of(exports, VERSION))));
        exports.remove("turn_send");
        refuses("a missing export", "module", () -> TurnModule.of(TinyModule.of(exports, VERSION)));
        exports.put("turn_send", EXPORTS.get("turn_send"));
        exports.remove("turn_abi_version");
        refuses("no turn_abi_version", "module", () -> TurnModule.of(TinyModule.of(exports, VERSION)));
        refuses("not wasm", "module", () -> TurnModule.of("<html>404</html>".getBytes()));
        refuses("no bytes", "module", () -> TurnModule.of(new byte[0]));
        refuses("wasm that is cut off", "module", () -> TurnModule.of(new byte[] {0, 'a', 's', 'm', 1, 0, 0, 0, 1, 90, 3}));
        refuses("no such file", "module", () -> TurnModule.load(Path.of("/nonexistent/turn.wasm")));
    }

    private Client client(Instance instance) throws TurnException {
        Records.Writer config = new Records.Writer().address(ATTR_SERVER, new InetSocketAddress("192.0.2.1", 3478))
                .bytes(ATTR_USERNAME, "alice".getBytes()).bytes(ATTR_PASSWORD, "secret".getBytes());
        return instance.open(0, config, new Instance.Sink() {
            @Override
            public void transmit(byte[] datagram, int flow) {}

            @Override
            public void data(byte[] payload, InetSocketAddress from) {}

            @Override
            public void event(Event event) {}

            @Override
            public void died(TurnException error) {}
        });
    }

    private void handles() throws TurnException {
        Instance instance = new Instance(module);
        Client freed = client(instance);
        freed.free();
        refuses("a freed handle", "refused", () -> freed.allocate(1));
        refuses("a handle freed again", "refused", freed::free);
        refuses("a foreign handle", "refused", () -> new Client(instance, 0x7FFFFFFF, null).allocate(1));
        refuses("a negative handle", "refused", () -> new Client(instance, -5, null).stats());
        refuses("a payload for a stale handle", "refused", () -> freed.send(1, new byte[10], PEER));
        Client closed = client(instance);
        closed.close(1, 0);
        refuses("a closed client", "closed", () -> closed.allocate(2));
        refuses("a payload for a closed client", "closed", () -> closed.send(2, new byte[10], PEER));
    }

    private void arguments() throws TurnException {
        Instance instance = new Instance(module);
        Client client = client(instance);
        refuses("a time that is none", "refused", () -> client.allocate(Double.NaN));
        refuses("a record that is cut off", "refused", () -> instance.control("turn_command", Instance.f64(1), client.handle(), 3));
        refuses("a record longer than its place", "refused", () -> instance.control("turn_command", Instance.f64(1), client.handle(), 1 << 30));
        refuses("a record of a negative length", "refused", () -> instance.control("turn_command", Instance.f64(1), client.handle(), -1));
        refuses("a batch longer than its place", "refused", () -> instance.control("turn_input", Instance.f64(1), 1 << 20));
        refuses("a payload too large", "refused", () -> client.send(1, new byte[70_000], PEER));
        refuses("a payload larger than the arena", "refused", () -> client.send(1, new byte[64 << 20], PEER));
        refuses("a peer that is a name", "argument", () -> client.send(1, new byte[1], InetSocketAddress.createUnresolved("example.org", 1)));
        refuses("a payload before the allocation", "refused", () -> client.send(1, new byte[10], PEER));
    }

    private void sockets(FakeServer server) throws IOException {
        String user = FakeServer.USERNAME;
        String password = FakeServer.PASSWORD;
        for (String uri : new String[] {"", "turn:", "http://127.0.0.1", "turn://127.0.0.1", "turn:alice@127.0.0.1", "turn:127.0.0.1:99999"}) {
            refuses("the URI '" + uri + "'", "argument", () -> TurnSocket.open(uri, user, password));
        }
        refuses("a URI with TLS", "unsupported", () -> TurnSocket.open("turns:127.0.0.1", user, password));
        refuses("a username without a password", "argument", () -> TurnSocket.open(server.uri(), user, ""));
        refuses("no credentials where they are needed", "request", () -> TurnSocket.open(server.uri(), "", ""));
        try (Driver driver = Driver.start(module)) {
            TurnSocket socket = TurnSocket.open(driver, server.uri(), user, password);
            refuses("a datagram too large", "refused", () -> socket.send(ByteBuffer.allocate(70_000), PEER));
            Closed closed = socket.close(TurnSocket.LINGER);
            refuses("a payload after the close", "closed", () -> socket.send(ByteBuffer.allocate(1), PEER));
            refuses("a read after the close", "closed", () -> socket.receive(ByteBuffer.allocate(1)));
            refuses("a channel after the close", "closed", () -> socket.bindChannel(PEER));
            if (!closed.outcome().good() || socket.close(Duration.ZERO) != closed) throw new IOException("closed " + closed);
        }
        Driver ended = Driver.start(module);
        ended.close();
        refuses("a driver after its close", "closed", () -> TurnSocket.open(ended, server.uri(), user, password));
    }

    /** The instance dies under an open socket: the release that was kept is shipped, every later call says why. */
    private void trapped(FakeServer server) throws IOException {
        Driver driver = Driver.start(TurnModule.load(Path.of(trap)));
        TurnSocket socket = TurnSocket.open(driver, server.uri(), FakeServer.USERNAME, FakeServer.PASSWORD);
        while (server.refreshes() > 0) server.refreshed(); // of the sockets before
        refuses("a trap", "trapped", () -> driver.call(now -> driver.instance().call("turn_trap")));
        refuses("a payload after the trap", "trapped", () -> socket.send(ByteBuffer.allocate(1), PEER));
        refuses("a read after the trap", "trapped", () -> socket.receive(ByteBuffer.allocate(1)));
        refuses("a socket after the trap", "trapped", () -> TurnSocket.open(driver, server.uri(), FakeServer.USERNAME, FakeServer.PASSWORD));
        refuses("a close after the trap", "unreleased", socket::close);
        Integer lifetime = server.refreshed();
        Closed closed = socket.close(Duration.ZERO);
        if (lifetime == null || lifetime != 0) throw new IOException("the release that was kept for a trap did not come: " + lifetime);
        if (closed.outcome() != Outcome.UNCONFIRMED || closed.until() == null) throw new IOException("closed by a trap: " + closed);
        driver.close();
    }
}
