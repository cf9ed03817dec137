package turnwasm;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import turnwasm.TurnException.Kind;

/** A TURN URI (RFC 7065): turn:HOST[:PORT][?transport=udp]. This host has UDP alone to the server. */
record TurnUri(String host, int port) {
    private static final int DEFAULT_PORT = 3478;
    private static final Pattern FORM =
            Pattern.compile("(turns?):(\\[[0-9A-Fa-f:.]+]|[^:?/@#\\[\\] ]+)(?::([0-9]{1,5}))?(?:\\?transport=(udp|tcp))?", Pattern.CASE_INSENSITIVE);

    static TurnUri parse(String uri) throws TurnException {
        Matcher m = FORM.matcher(uri);
        if (!m.matches()) throw bad(uri, "want turn:HOST[:PORT][?transport=udp]; the credentials are not part of it");
        if (!m.group(1).equalsIgnoreCase("turn") || "tcp".equalsIgnoreCase(m.group(4))) {
            throw new TurnException(Kind.UNSUPPORTED, "turn: " + uri + ": this host speaks UDP to the server: use turn: without transport=tcp");
        }
        int port = m.group(3) == null ? DEFAULT_PORT : Integer.parseInt(m.group(3));
        if (port < 1 || port > 65535) throw bad(uri, "the port is not in 1..65535");
        return new TurnUri(m.group(2).toLowerCase(Locale.ROOT), port);
    }

    InetSocketAddress resolve() throws TurnException {
        try {
            return new InetSocketAddress(InetAddress.getByName(host), port);
        } catch (UnknownHostException e) {
            throw new TurnException(Kind.REQUEST, 0, "turn: " + host + " has no address", e);
        }
    }

    private static IllegalArgumentException bad(String uri, String why) {
        return new IllegalArgumentException("not a TURN URI: " + uri + ": " + why);
    }
}
