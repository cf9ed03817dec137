package turnwasm;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.channels.DatagramChannel;

/** A path to the server: a connected UDP socket, which the machine knows as a flow. The driver's thread has it to itself. */
final class UdpPath {
    /** Who is told what comes of a path. Only unreachable is told in the midst of a send. */
    interface Receiver {
        void received(byte[] datagram, int flow);

        /** The path has said that the server cannot be reached. */
        void unreachable(int flow);

        /** The path is of no use any more. */
        void failed(int flow);
    }

    /** Datagrams that are read before others have their turn. */
    private static final int MOST_READS = 64;

    /** Reads in a row that fail: an error of the path's is told once, so these are the channel's. */
    private static final int MOST_ERRORS = 16;

    private static final int MAX_DATAGRAM = 65535;

    /** The system's words for EMSGSIZE, in the user's language: Java has no other name for it. */
    private static final String TOO_LONG = tooLong();

    private final ByteChannel channel;
    private final ByteBuffer buffer;
    private final int flow;
    private final Receiver receiver;

    UdpPath(ByteChannel channel, ByteBuffer buffer, int flow, Receiver receiver) {
        this.channel = channel;
        this.buffer = buffer;
        this.flow = flow;
        this.receiver = receiver;
    }

    /** A buffer to read into, for all paths of a thread. */
    static ByteBuffer buffer() {
        return ByteBuffer.allocateDirect(MAX_DATAGRAM);
    }

    /** Opens a socket of a port of its own; what comes is told on the driver's thread. */
    static UdpPath open(Driver driver, InetSocketAddress server, int flow, Receiver receiver) throws IOException {
        DatagramChannel channel = DatagramChannel.open();
        try {
            channel.connect(server);
            UdpPath path = new UdpPath(channel, driver.buffer(), flow, receiver);
            driver.register(channel, path::read);
            return path;
        } catch (Throwable e) {
            channel.close();
            throw e;
        }
    }

    int flow() {
        return flow;
    }

    /** Reads what has come. An error is an ICMP message's, which a read tells once: the channel is as good as before. */
    void read() {
        boolean unreachable = false;
        for (int i = 0, errors = 0; i < MOST_READS && channel.isOpen(); i++) {
            try {
                if (!receive()) break;
                errors = 0;
            } catch (IOException e) {
                if (++errors == MOST_ERRORS || !channel.isOpen()) {
                    close();
                    receiver.failed(flow);
                    return;
                }
                unreachable |= !isTooLong(e);
            }
        }
        if (unreachable) receiver.unreachable(flow);
    }

    /** Reads a datagram; false when there is none. */
    private boolean receive() throws IOException {
        if (channel.read(buffer.clear()) <= 0) return false;
        byte[] datagram = new byte[buffer.flip().remaining()];
        buffer.get(datagram);
        receiver.received(datagram, flow);
        return true;
    }

    /** What the system has no room for is lost, as on the way: the machine sends again. */
    void send(byte[] datagram) {
        try {
            channel.write(ByteBuffer.wrap(datagram));
        } catch (IOException e) {
            if (sendAgain(datagram) && !isTooLong(e)) receiver.unreachable(flow);
        }
    }

    /**
     * After an error, which may be of a datagram before: then it is told now, by no read any more, and this one, which may
     * be the last word of a close, was not sent. An error of its own comes again.
     */
    private boolean sendAgain(byte[] datagram) {
        try {
            channel.write(ByteBuffer.wrap(datagram));
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    /** "Fragmentation needed" is no end of the path: the system now fragments. */
    private static boolean isTooLong(IOException e) {
        return TOO_LONG.equals(e.getMessage());
    }

    private static String tooLong() {
        try (DatagramChannel channel = DatagramChannel.open()) {
            channel.configureBlocking(false); // the caller may be interrupted
            channel.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), 9));
            channel.write(ByteBuffer.allocate(MAX_DATAGRAM + 1));
        } catch (IOException e) {
            return String.valueOf(e.getMessage());
        }
        return "Message too long";
    }

    void close() {
        try {
            channel.close();
        } catch (IOException e) {
            // It is of no use any more in either case.
        }
    }
}
