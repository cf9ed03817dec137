package turnwasm;

import java.io.IOException;

/** Everything that fails and is not the caller's mistake, which is an {@link IllegalArgumentException}. */
public final class TurnException extends IOException {
    private static final long serialVersionUID = 1;

    /** What kind of failure it is. */
    public enum Kind {
        /** The module cannot be loaded, or is of another make. */
        MODULE,
        /** The machine does not do it; {@link #code} says why. */
        REFUSED,
        /** The server, its silence or the path refused a request; {@link #code} is the STUN error code, 0 = no answer. */
        REQUEST,
        /** The allocation is gone. */
        LOST,
        /** The socket is closed. */
        CLOSED,
        /** A close is over, and what it left on the server is not known to be released. */
        UNRELEASED,
        /** The machine's instance has died; nothing of it is called any more. */
        TRAPPED,
        /** The URI asks for what this host does not do. */
        UNSUPPORTED
    }

    private final Kind kind;
    private final int code;
    private final String method;
    private final String reason;

    TurnException(Kind kind, int code, String text, Throwable cause) {
        this(kind, code, "", text, text, cause);
    }

    private TurnException(Kind kind, int code, String method, String reason, String text, Throwable cause) {
        super(text, cause);
        this.kind = kind;
        this.code = code;
        this.method = method;
        this.reason = reason;
    }

    TurnException(Kind kind, String text) {
        this(kind, 0, text, null);
    }

    /** The same failure for another thread: its trace says who is told of it, its cause where it happened. */
    TurnException again() {
        return new TurnException(kind, code, method, reason, getMessage(), this);
    }

    public Kind kind() {
        return kind;
    }

    /** The boundary's error code, which is negative, or the server's, which is positive; 0 = none. */
    public int code() {
        return code;
    }

    /** The request that failed, "Allocate" for one; empty for other failures. */
    public String method() {
        return method;
    }

    /** The server's phrase, or the text. */
    public String reason() {
        return reason;
    }

    /** The error of a code that a call has answered, with what the machine says of it. */
    static TurnException ofCode(int code, String text) {
        String known = AbiGen.CODE_TEXTS.getOrDefault(code, "turn: error code " + code + ", which this host does not know");
        Kind kind = code == AbiGen.CODE_CLOSED ? Kind.CLOSED : Kind.REFUSED;
        return new TurnException(kind, code, text.isEmpty() ? known : text, null);
    }

    /** The error of a request that failed; it names the method, the code and what to do. */
    static TurnException ofRequest(Kind kind, Event e) {
        String reason = e.reason().isEmpty() ? AbiGen.PHRASES.getOrDefault(e.code(), "") : e.reason();
        boolean ofAllocation = e.method().equals("Allocate") || e.method().equals("Refresh"); // hints are about those
        String hint = ofAllocation ? AbiGen.HINTS.getOrDefault(e.code(), "") : "";
        String text = e.method() + (e.peer() == null ? "" : " for " + Addresses.format(e.peer())) + ": "
                + (e.code() == 0 ? "" : e.code() + " ") + reason + (hint.isEmpty() ? "" : ": " + hint);
        return new TurnException(kind, e.code(), e.method(), reason, text, null);
    }
}
