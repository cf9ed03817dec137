package turnwasm;

import static turnwasm.AbiGen.ATTR_PASSWORD;
import static turnwasm.AbiGen.ATTR_USERNAME;

import java.nio.charset.StandardCharsets;
import java.text.Normalizer;
import java.util.Arrays;

/**
 * A long-term credential, prepared as RFC 8265 wants it. The machine takes it prepared: it has no tables for Unicode,
 * Java has.
 */
final class Credentials {
    /**
     * "It MUST contain a UTF-8-encoded [RFC3629] sequence of fewer than 509 bytes and MUST have been processed using the
     * OpaqueString profile [RFC8265]." https://www.rfc-editor.org/rfc/rfc8489#section-14.3
     */
    private static final int MAX_USERNAME = 509;

    private Credentials() {}

    /** Writes both, or neither for a server without authentication. */
    static void write(Records.Writer record, String username, String password) {
        if (username.isEmpty() && password.isEmpty()) return;
        if (username.isEmpty()) throw new IllegalArgumentException("a password without a username");
        if (password.isEmpty()) throw new IllegalArgumentException("a username without a password");
        byte[] name = opaque(username, "username");
        if (name.length >= MAX_USERNAME) throw new IllegalArgumentException("username: longer than " + (MAX_USERNAME - 1) + " bytes");
        byte[] secret = opaque(password, "password");
        record.bytes(ATTR_USERNAME, name).bytes(ATTR_PASSWORD, secret);
        Arrays.fill(secret, (byte) 0);
    }

    /** The OpaqueString profile: other spaces become plain ones, then NFC. https://www.rfc-editor.org/rfc/rfc8265#section-4.2.1 */
    private static byte[] opaque(String text, String what) {
        String prepared = Normalizer.normalize(text.replaceAll("\\p{Zs}", " "), Normalizer.Form.NFC);
        if (prepared.codePoints().anyMatch(Credentials::disallowed)) {
            throw new IllegalArgumentException(what + ": it holds a character that a credential must not hold (RFC 8265)");
        }
        return prepared.getBytes(StandardCharsets.UTF_8);
    }

    /** What the FreeformClass of RFC 8264 section 4.3 does not contain, as far as one code point says it. */
    private static boolean disallowed(int c) {
        boolean oldJamo = c >= 0x1100 && c <= 0x11FF || c >= 0xA960 && c <= 0xA97C || c >= 0xD7B0 && c <= 0xD7FB;
        return oldJamo || switch (Character.getType(c)) {
            case Character.CONTROL, Character.SURROGATE, Character.PRIVATE_USE, Character.UNASSIGNED, Character.FORMAT -> true;
            default -> false;
        };
    }
}
