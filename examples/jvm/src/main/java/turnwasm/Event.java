package turnwasm;

import static turnwasm.AbiGen.*;

import java.net.InetSocketAddress;
import java.time.Duration;

/**
 * What happened to a client. Which fields are set depends on the event; package client's EventKind says so, under the
 * same names.
 *
 * @param name "allocated", "allocateFailed", "closed", ...; "" for one that this host does not know
 * @param method the request that failed
 * @param code STUN error code; 0 = none
 * @param reason the server's phrase, or a sentence that says what was tried
 * @param signed the answer carried a valid MESSAGE-INTEGRITY
 * @param flow the path that it is about
 * @param channel channel number
 * @param peer whom it is about; null = nobody
 * @param relayed the relayed transport address, or null
 * @param mapped the server-reflexive transport address, or null
 * @param lifetime what the server has granted
 * @param retryAfter leave the server alone for so long
 * @param outcome of a close; null before
 * @param reuseAfter how long the local port should rest
 * @param until the server may hold the allocation until this instant of the machine's clock, in ms; 0 = none
 */
public record Event(String name, String method, int code, String reason, boolean signed, int flow, int channel,
        InetSocketAddress peer, InetSocketAddress relayed, InetSocketAddress mapped, Duration lifetime,
        Duration retryAfter, Outcome outcome, Duration reuseAfter, double until) {

    static Event read(byte[] record) {
        Records.Reader r = new Records.Reader(record);
        int number = r.u16(ATTR_EVENT);
        return new Event(number < EVENTS.size() ? EVENTS.get(number) : "", METHODS.getOrDefault(r.u16(ATTR_METHOD), ""),
                r.u32(ATTR_CODE), r.text(ATTR_REASON), r.has(ATTR_SIGNED), r.u32(ATTR_FLOW), r.u16(ATTR_CHANNEL),
                r.address(ATTR_PEER), r.address(ATTR_RELAYED), r.address(ATTR_MAPPED), duration(r.ms(ATTR_LIFETIME)),
                duration(r.ms(ATTR_RETRY_AFTER)), r.has(ATTR_OUTCOME) ? Outcome.of(r.u8(ATTR_OUTCOME)) : null,
                duration(r.ms(ATTR_REUSE_AFTER)), r.ms(ATTR_UNTIL));
    }

    static Duration duration(double ms) {
        return Duration.ofNanos((long) (ms * 1e6)); // saturates
    }
}
