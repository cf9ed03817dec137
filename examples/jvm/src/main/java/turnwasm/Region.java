package turnwasm;

import static turnwasm.AbiGen.*;

import com.dylibso.chicory.runtime.Memory;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;

/** The region of linear memory that host and guest share; the layout stands in wasm/abi/doc.go. */
final class Region {
    /** A part of the region. */
    record Span(int offset, int size) {}

    /** An out-descriptor. */
    record Out(int client, int kind, int flow, int offset, int length, int count, int stride, int channel, long tag, InetSocketAddress address) {}

    /** The most packets of one descriptor; they are copied before anybody sees them. */
    private static final int MAX_RUN = 1 << 16;

    private final Memory memory;
    private final int base;
    private final int size;
    private final Span controlIn;
    private final Span controlOut;
    private final Span arena;
    private final int ins;
    private final Span outs;

    Region(Memory memory, int base) throws TurnException {
        this.memory = memory;
        this.base = base;
        require(base >= 0 && end(base, HEADER_SIZE) <= bytes(), "it lies outside of the memory");
        require(u32(0) == MAGIC, "it begins with " + Integer.toHexString(u32(0)));
        require(u32(4) == VERSION, "it has version " + u32(4) + ", this host speaks " + VERSION);
        size = u32(8);
        require(size > 0 && end(base, size) <= bytes(), "it is longer than the memory");
        require(u32(12) == DESC_SIZE, "descriptors of " + u32(12) + " bytes");
        controlIn = span(16, 1);
        controlOut = span(24, 1);
        ins = span(32, DESC_SIZE).offset;
        outs = span(40, DESC_SIZE);
        arena = span(48, 1);
        require(u32(56) == HEADROOM && u32(60) == TAILROOM, "headroom " + u32(56) + ", tailroom " + u32(60));
    }

    private Span span(int at, int unit) throws TurnException {
        Span s = new Span(u32(at), u32(at + 4));
        require(s.offset >= HEADER_SIZE && s.size > 0 && s.offset + (long) s.size * unit <= size, "a part of it lies outside");
        return s;
    }

    private static void require(boolean fine, String otherwise) throws TurnException {
        if (!fine) throw new TurnException(TurnException.Kind.MODULE, "turn: not a region of this ABI: " + otherwise);
    }

    private static long end(int offset, int size) {
        return (long) offset + size;
    }

    private long bytes() {
        return (long) memory.pages() * Memory.PAGE_SIZE;
    }

    private int u32(int at) {
        return memory.readInt(base + at);
    }

    /** The earliest deadline of all clients in ms; +Inf = none. */
    double next() {
        return memory.readDouble(base + HEAD_NEXT);
    }

    boolean pending() {
        return u32(HEAD_PENDING) != 0;
    }

    int consumed() {
        return u32(HEAD_CONSUMED);
    }

    int clients() {
        return u32(HEAD_CLIENTS);
    }

    /** Tells the guest that it has less memory than it was made for. */
    void mostMemory(int bytes) {
        memory.writeI32(base + HEAD_MEMORY, bytes);
    }

    /** The last error's text. */
    String errorText() {
        int length = Math.min(u32(HEAD_ERROR_LEN), controlOut.size);
        return length <= 0 ? "" : new String(memory.readBytes(base + controlOut.offset, length), StandardCharsets.UTF_8);
    }

    byte[] controlOut(int length) {
        return read(controlOut.offset, Math.min(length, controlOut.size));
    }

    byte[] read(int offset, int length) {
        return memory.readBytes(base + offset, length);
    }

    /** Puts a record where the guest reads it. */
    void writeControl(byte[] record, int length) {
        if (length > controlIn.size) throw new IllegalArgumentException("the configuration or command is too long");
        memory.write(base + controlIn.offset, record, 0, length);
    }

    /**
     * Describes one datagram or payload of a batch of one, and puts it into the arena. It answers false when it does not
     * fit there.
     */
    boolean writeIn(int client, int kind, int flow, byte[] data, InetSocketAddress address) {
        if ((long) HEADROOM + data.length + TAILROOM > arena.size) return false;
        int at = base + ins;
        memory.fill((byte) 0, at, at + DESC_SIZE);
        memory.writeI32(at + DESC_CLIENT, client);
        memory.writeByte(at + DESC_KIND, (byte) kind);
        memory.writeI32(at + DESC_FLOW, flow);
        memory.writeI32(at + DESC_OFFSET, arena.offset + HEADROOM);
        memory.writeI32(at + DESC_LENGTH, data.length);
        memory.writeI32(at + DESC_COUNT, 1);
        if (address != null) writeAddress(at, address);
        memory.write(base + arena.offset + HEADROOM, data);
        return true;
    }

    private void writeAddress(int at, InetSocketAddress address) {
        byte[] ip = Addresses.ip(address);
        memory.writeByte(at + DESC_FAMILY, (byte) (ip.length == 4 ? 4 : 6));
        memory.writeShort(at + DESC_PORT, (short) address.getPort());
        memory.write(at + DESC_ADDR, ip);
    }

    /** What became of the batch of one. */
    int status() {
        return memory.readInt(base + ins + DESC_STATUS);
    }

    /** Reads out-descriptor i. One that reaches outside of the region is an {@link IndexOutOfBoundsException}. */
    Out out(int i) {
        if (i >= outs.size) throw new IndexOutOfBoundsException("more descriptors than there are");
        int at = base + outs.offset + i * DESC_SIZE;
        int count = Math.max(1, memory.readInt(at + DESC_COUNT));
        Out d = new Out(memory.readInt(at + DESC_CLIENT), memory.read(at + DESC_KIND), memory.readInt(at + DESC_FLOW),
                memory.readInt(at + DESC_OFFSET), memory.readInt(at + DESC_LENGTH), count, memory.readInt(at + DESC_STRIDE),
                memory.readInt(at + DESC_CHANNEL), memory.readLong(at + DESC_TAG), addressAt(at));
        boolean positive = d.offset >= 0 && d.length >= 0 && d.stride >= 0;
        boolean run = count == 1 || d.stride >= d.length && d.stride > 0 && count <= MAX_RUN;
        if (!positive || !run || d.offset + (count - 1L) * d.stride + d.length > size) {
            throw new IndexOutOfBoundsException("a descriptor reaches outside of the region");
        }
        return d;
    }

    /** The bytes of out-descriptor i. */
    byte[] rawOut(int i) {
        return read(outs.offset + i * DESC_SIZE, DESC_SIZE);
    }

    private InetSocketAddress addressAt(int at) {
        int family = memory.read(at + DESC_FAMILY);
        if (family == 0) return null;
        byte[] ip = memory.readBytes(at + DESC_ADDR, family == 4 ? 4 : 16);
        return Addresses.of(ip, Short.toUnsignedInt(memory.readShort(at + DESC_PORT)));
    }
}
