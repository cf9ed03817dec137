package turnwasm;

import static turnwasm.AbiGen.*;

import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.LinkedHashMap;
import java.util.Map;

/** A TURN client without I/O: the machine, as Java calls it. Clients are made by {@link Instance#open}. */
final class Client {
    /**
     * The datagram that a close would send now. A host keeps the newest and ships it when all else has died.
     *
     * @param until the server may hold the allocation until this instant, in ms
     */
    record Parting(int flow, byte[] datagram, double until) {}

    private final Instance instance;
    private final int handle;
    private final Instance.Sink sink;
    private Parting parting;

    Client(Instance instance, int handle, Instance.Sink sink) {
        this.instance = instance;
        this.handle = handle;
        this.sink = sink;
    }

    int handle() {
        return handle;
    }

    Instance.Sink sink() {
        return sink;
    }

    /** What was told last that a close would send; it outlives a trap. */
    Parting parting() {
        return parting;
    }

    void keep(Parting newest) {
        parting = newest;
    }

    void allocate(double now) throws TurnException {
        command(now, new Records.Writer().u16(ATTR_CMD, CMD_ALLOCATE));
    }

    void createPermission(double now, InetSocketAddress peer) throws TurnException {
        command(now, new Records.Writer().u16(ATTR_CMD, CMD_CREATE_PERMISSION).address(ATTR_PEER, peer));
    }

    void bindChannel(double now, InetSocketAddress peer) throws TurnException {
        command(now, new Records.Writer().u16(ATTR_CMD, CMD_BIND_CHANNEL).address(ATTR_PEER, peer));
    }

    private void command(double now, Records.Writer record) throws TurnException {
        instance.command(record, "turn_command", Instance.f64(now), handle, record.length());
    }

    /** Hands in a datagram of a connected socket. One that the machine does not take is counted there. */
    void input(double now, int flow, byte[] datagram) throws TurnException {
        instance.batch("turn_input", now, this, KIND_INPUT, flow, datagram, null);
    }

    /** Sends a payload to a peer. */
    void send(double now, byte[] payload, InetSocketAddress peer) throws TurnException {
        int status = instance.batch("turn_send", now, this, KIND_SEND, 0, payload, peer);
        if (status < 0) throw TurnException.ofCode(status, "");
    }

    void flowOpened(double now, int flow) throws TurnException {
        instance.control("turn_flow", Instance.f64(now), handle, flow, FLOW_OPENED);
    }

    void flowClosed(double now, int flow) throws TurnException {
        instance.control("turn_flow", Instance.f64(now), handle, flow, FLOW_CLOSED);
    }

    /** The path has said that the server cannot be reached. */
    void pathError(double now, int flow) throws TurnException {
        instance.control("turn_flow", Instance.f64(now), handle, flow, PATH_ERROR);
    }

    /** Releases what the server holds, in whatever state. The event "closed" says what came of it, at the latest after the linger. */
    void close(double now, double linger) throws TurnException {
        instance.control("turn_close", Instance.f64(now), handle, Instance.f64(linger));
    }

    /** Whether the machine thinks that it is in the phase. */
    String phase() throws TurnException {
        int phase = new Records.Reader(instance.ask("turn_state", handle)).u8(ATTR_PHASE);
        return phase < PHASES.size() ? PHASES.get(phase) : "unknown";
    }

    /** The counters, under the names of package client's Stats. */
    Map<String, Long> stats() throws TurnException {
        ByteBuffer b = ByteBuffer.wrap(instance.ask("turn_stats", handle)).order(ByteOrder.LITTLE_ENDIAN);
        Map<String, Long> stats = new LinkedHashMap<>();
        for (String name : STATS) if (b.remaining() >= 8) stats.put(name, b.getLong());
        return stats;
    }

    /** Wipes the client. What it had still to say is lost; so first close, and wait for "closed". */
    void free() throws TurnException {
        instance.free(this);
    }
}
