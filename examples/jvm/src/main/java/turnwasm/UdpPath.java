package turnwasm;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.PortUnreachableException;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;

/** A path to the server: a connected UDP socket, which the machine knows as a flow. The driver's thread has it to itself. */
final class UdpPath {
    /** Who is told what comes of a path. */
    interface Receiver {
        void received(byte[] datagram, int flow);

        /** The path has said that the server cannot be reached. */
        void unreachable(int flow);

        /** The path is of no use any more. */
        void failed(int flow);
    }

    /** Datagrams that are read before others have their turn. */
    private static final int MOST_READS = 64;

    private static final int MAX_DATAGRAM = 65535;

    private final DatagramChannel channel;
    private final int flow;
    private final Receiver receiver;
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(MAX_DATAGRAM);

    private UdpPath(DatagramChannel channel, int flow, Receiver receiver) {
        this.channel = channel;
        this.flow = flow;
        this.receiver = receiver;
    }

    /** Opens a socket of a port of its own; what comes is told on the driver's thread. */
    static UdpPath open(Driver driver, InetSocketAddress server, int flow, Receiver receiver) throws IOException {
        DatagramChannel channel = DatagramChannel.open();
        try {
            channel.connect(server);
            UdpPath path = new UdpPath(channel, flow, receiver);
            driver.register(channel, path::read);
            return path;
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    int flow() {
        return flow;
    }

    private void read() {
        try {
            for (int i = 0; i < MOST_READS && channel.isOpen(); i++) {
                if (channel.read(buffer.clear()) <= 0) return;
                byte[] datagram = new byte[buffer.flip().remaining()];
                buffer.get(datagram);
                receiver.received(datagram, flow);
            }
        } catch (PortUnreachableException e) {
            receiver.unreachable(flow);
        } catch (IOException e) {
            close();
            receiver.failed(flow);
        }
    }

    void send(byte[] datagram) {
        try {
            channel.write(ByteBuffer.wrap(datagram)); // what the system has no room for is lost, as on the way
        } catch (IOException e) {
            // It is lost, too: the machine sends again, and a read says more.
        }
    }

    void close() {
        try {
            channel.close();
        } catch (IOException e) {
            // It is of no use any more in either case.
        }
    }
}
