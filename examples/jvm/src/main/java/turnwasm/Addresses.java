package turnwasm;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;

/** Transport addresses, as bytes and as text. */
final class Addresses {
    private Addresses() {}

    static InetSocketAddress of(byte[] ip, int port) {
        try {
            // InetAddress.getByAddress would make an IPv4 address of ::ffff:192.0.2.1.
            return new InetSocketAddress(ip.length == 16 ? Inet6Address.getByAddress(null, ip, -1) : InetAddress.getByAddress(ip), port);
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException("an address of " + ip.length + " bytes", e);
        }
    }

    /** The bytes of an IP address. */
    static byte[] ip(InetSocketAddress a) {
        if (a == null || a.isUnresolved()) throw new IllegalArgumentException("not an IP address: " + a);
        return a.getAddress().getAddress();
    }

    /** 192.0.2.1:3478, [2001:db8:0:0:0:0:0:1]:3478; without the port where it is 0, as a permission's peer has none. */
    static String format(InetSocketAddress a) {
        String ip = a.getAddress().getHostAddress();
        if (a.getPort() == 0) return ip;
        return (ip.contains(":") ? "[" + ip + "]" : ip) + ":" + a.getPort();
    }

    /** Reads IP:PORT or [IP]:PORT; no name is looked up. */
    static InetSocketAddress parse(String text) {
        int colon = text.lastIndexOf(':');
        String ip = colon < 0 ? "" : text.substring(0, colon);
        boolean literal = ip.matches("[0-9.]+") || ip.matches("\\[[0-9A-Fa-f:.]+]");
        if (!literal || !text.substring(colon + 1).matches("[0-9]{1,5}")) throw new IllegalArgumentException("not an IP:PORT: " + text);
        try {
            return new InetSocketAddress(InetAddress.getByName(ip), Integer.parseInt(text.substring(colon + 1)));
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException("not an IP:PORT: " + text, e);
        }
    }
}
