package turnwasm;

import java.time.Duration;
import java.time.Instant;

/**
 * The verdict of a close.
 *
 * @param outcome what came of it
 * @param reason why it is not released; empty if it is
 * @param until when the server lets go of the allocation at the latest; null when it holds none
 * @param reuseAfter how long the local port should rest before the next allocation from it
 */
public record Closed(Outcome outcome, String reason, Instant until, Duration reuseAfter) {}
