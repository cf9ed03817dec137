package turnwasm;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** As much of a TURN server as a socket needs to open and to close, on loopback. It relays nothing. */
final class FakeServer implements AutoCloseable {
    static final String USERNAME = "alice";
    static final String PASSWORD = "secret";
    private static final String REALM = "example.org";
    private static final int COOKIE = 0x2112A442;
    private static final int ALLOCATE = 0x0003;
    private static final int REFRESH = 0x0004;
    private static final int CHANNEL_BIND = 0x0009;
    private static final int SUCCESS = 0x0100;
    private static final int FAILURE = 0x0110;
    private static final int USERNAME_ATTRIBUTE = 0x0006;
    private static final int LIFETIME = 0x000D;

    private final DatagramSocket socket = new DatagramSocket(0, InetAddress.getLoopbackAddress());
    private final LinkedBlockingQueue<Integer> lifetimes = new LinkedBlockingQueue<>();
    private int mismatches;

    FakeServer() throws SocketException {
        this(0);
    }

    /** A server that says of so many local ports that another allocation is there. */
    FakeServer(int mismatches) throws SocketException {
        this.mismatches = mismatches;
        Thread thread = new Thread(this::serve, "fake server");
        thread.setDaemon(true);
        thread.start();
    }

    String uri() {
        return "turn:127.0.0.1:" + socket.getLocalPort();
    }

    /** Refreshes that nobody has asked for. */
    int refreshes() {
        return lifetimes.size();
    }

    /** The LIFETIME of the next Refresh; null when none came. */
    Integer refreshed() {
        try {
            return lifetimes.poll(10, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            return null;
        }
    }

    @Override
    public void close() {
        socket.close();
    }

    private void serve() {
        DatagramPacket packet = new DatagramPacket(new byte[2048], 2048);
        try {
            for (;;) {
                packet.setLength(2048);
                socket.receive(packet);
                byte[] answer = answer(ByteBuffer.wrap(packet.getData(), 0, packet.getLength()), packet.getPort());
                if (answer != null) socket.send(new DatagramPacket(answer, answer.length, packet.getSocketAddress()));
            }
        } catch (IOException e) {
            // It is closed.
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private byte[] answer(ByteBuffer request, int port) throws GeneralSecurityException {
        int type = request.getShort(0);
        Integer lifetime = attribute(request, LIFETIME);
        if (type == REFRESH && lifetime != null) lifetimes.add(lifetime);
        if (type != ALLOCATE && type != REFRESH && type != CHANNEL_BIND) return null;
        ByteBuffer b = ByteBuffer.allocate(512).putShort((short) 0).putShort((short) 0).put(request.array(), 4, 16);
        if (attribute(request, USERNAME_ATTRIBUTE) == null) {
            put(b, 0x0009, new byte[] {0, 0, 4, 1}); // 401
            put(b, 0x0014, REALM.getBytes(StandardCharsets.US_ASCII));
            put(b, 0x0015, "nonce".getBytes(StandardCharsets.US_ASCII));
            return finished(b, type | FAILURE);
        }
        if (type == ALLOCATE && mismatches-- > 0) {
            put(b, 0x0009, new byte[] {0, 0, 4, 37}); // 437
            return signed(b, type | FAILURE);
        }
        if (type == ALLOCATE) {
            put(b, 0x0016, xored(49152)); // XOR-RELAYED-ADDRESS
            put(b, 0x0020, xored(port)); // XOR-MAPPED-ADDRESS
        }
        put(b, LIFETIME, ByteBuffer.allocate(4).putInt(lifetime == null ? 600 : lifetime).array());
        return signed(b, type | SUCCESS);
    }

    /** The first four bytes of an attribute, null when there is none. */
    private static Integer attribute(ByteBuffer message, int type) {
        for (int at = 20; at + 8 <= message.limit(); at += 4 + (message.getShort(at + 2) + 3 & ~3)) {
            if (message.getShort(at) == type) return message.getInt(at + 4);
        }
        return null;
    }

    private static void put(ByteBuffer b, int type, byte[] value) {
        b.putShort((short) type).putShort((short) value.length).put(value).put(new byte[-value.length & 3]);
    }

    /** 127.0.0.1 and a port. */
    private static byte[] xored(int port) {
        return ByteBuffer.allocate(8).put((byte) 0).put((byte) 1).putShort((short) (port ^ COOKIE >>> 16)).putInt(0x7F000001 ^ COOKIE).array();
    }

    private static byte[] finished(ByteBuffer b, int type) {
        b.putShort(0, (short) type).putShort(2, (short) (b.position() - 20));
        byte[] message = new byte[b.position()];
        b.get(0, message);
        return message;
    }

    private static byte[] signed(ByteBuffer b, int type) throws GeneralSecurityException {
        byte[] key = MessageDigest.getInstance("MD5").digest((USERNAME + ":" + REALM + ":" + PASSWORD).getBytes(StandardCharsets.US_ASCII));
        int end = b.position();
        put(b, 0x0008, new byte[20]); // MESSAGE-INTEGRITY, whose length counts in what it signs
        byte[] message = finished(b, type);
        Mac mac = Mac.getInstance("HmacSHA1");
        mac.init(new SecretKeySpec(key, "HmacSHA1"));
        mac.update(message, 0, end);
        mac.doFinal(message, end + 4);
        return message;
    }
}
