package turnwasm;

import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/** Records of the control plane: type, length, value, zeros to a multiple of 4. The layout stands in wasm/abi/doc.go. */
final class Records {
    private Records() {}

    /** A record that is being written. It may hold a password: whoever has handed it over wipes it. */
    static final class Writer {
        private static final int MAX_VALUE = 0xffff;

        private byte[] bytes = new byte[256];
        private int length;

        private ByteBuffer value(int type, int size) {
            if (size > MAX_VALUE) throw new IllegalArgumentException("the configuration or command is too long");
            int end = length + 4 + (size + 3 & ~3);
            if (end > bytes.length) grow(end);
            ByteBuffer b = ByteBuffer.wrap(bytes, length, end - length).order(ByteOrder.LITTLE_ENDIAN);
            length = end;
            return b.putShort((short) type).putShort((short) size);
        }

        private void grow(int atLeast) {
            byte[] old = bytes;
            bytes = Arrays.copyOf(old, Math.max(atLeast, 2 * old.length));
            Arrays.fill(old, (byte) 0);
        }

        Writer flag(int type) {
            value(type, 0);
            return this;
        }

        Writer u16(int type, int n) {
            value(type, 2).putShort((short) n);
            return this;
        }

        Writer bytes(int type, byte[] b) {
            value(type, b.length).put(b);
            return this;
        }

        Writer address(int type, InetSocketAddress a) {
            byte[] ip = Addresses.ip(a);
            value(type, 4 + ip.length).put((byte) (ip.length == 4 ? 4 : 6)).put((byte) 0).putShort((short) a.getPort()).put(ip);
            return this;
        }

        byte[] bytes() {
            return bytes;
        }

        int length() {
            return length;
        }

        void wipe() {
            Arrays.fill(bytes, (byte) 0);
        }
    }

    /** A record that was read: values by their type, the first of duplicates. */
    static final class Reader {
        private final Map<Integer, ByteBuffer> values = new HashMap<>();

        Reader(byte[] record) {
            ByteBuffer b = ByteBuffer.wrap(record).order(ByteOrder.LITTLE_ENDIAN);
            while (b.hasRemaining()) {
                int type = Short.toUnsignedInt(b.getShort());
                int size = Short.toUnsignedInt(b.getShort());
                values.putIfAbsent(type, b.slice(b.position(), size).order(ByteOrder.LITTLE_ENDIAN));
                b.position(Math.min(b.position() + (size + 3 & ~3), b.limit()));
            }
        }

        boolean has(int type) {
            return values.containsKey(type);
        }

        int u8(int type) {
            return has(type) ? Byte.toUnsignedInt(values.get(type).get(0)) : 0;
        }

        int u16(int type) {
            return has(type) ? Short.toUnsignedInt(values.get(type).getShort(0)) : 0;
        }

        int u32(int type) {
            return has(type) ? values.get(type).getInt(0) : 0;
        }

        double ms(int type) {
            return has(type) ? values.get(type).getDouble(0) : 0;
        }

        String text(int type) {
            return has(type) ? StandardCharsets.UTF_8.decode(values.get(type).duplicate()).toString() : "";
        }

        InetSocketAddress address(int type) {
            if (!has(type)) return null;
            ByteBuffer v = values.get(type);
            byte[] ip = new byte[v.get(0) == 4 ? 4 : 16];
            v.get(4, ip);
            return Addresses.of(ip, Short.toUnsignedInt(v.getShort(2)));
        }
    }
}
