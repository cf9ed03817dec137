package turnwasm;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;

/** What waits for whoever takes it, so much and no more. What came before the end can be taken after it. */
final class Mailbox<T> {
    private final ArrayDeque<T> waiting = new ArrayDeque<>();
    private final int most;
    private long dropped;
    private TurnException ended;

    Mailbox(int most) {
        this.most = most;
    }

    /** Puts it in, if there is room. */
    synchronized void offer(T one) {
        if (waiting.size() >= most) {
            dropped++;
            return;
        }
        waiting.add(one);
        notify();
    }

    /** Puts it in, in the place of the oldest if there is no room. */
    synchronized void push(T one) {
        if (waiting.size() >= most) waiting.poll();
        waiting.add(one);
        notify();
    }

    /** How many found no room. */
    synchronized long dropped() {
        return dropped;
    }

    /** Nothing more will come, and why. */
    synchronized void end(TurnException why) {
        if (ended == null) ended = why;
        notifyAll();
    }

    /** Waits for the next one, for so long; null when there was none. */
    synchronized T take(Duration patience) throws IOException {
        long until = System.nanoTime() + TimeUnit.NANOSECONDS.convert(patience); // at most 292 years
        while (waiting.isEmpty()) {
            if (ended != null) throw ended.again();
            long left = until - System.nanoTime();
            if (left <= 0) return null;
            try {
                TimeUnit.NANOSECONDS.timedWait(this, left);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new InterruptedIOException("interrupted");
            }
        }
        return waiting.poll();
    }
}
