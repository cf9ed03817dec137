package turnwasm;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import turnwasm.TurnException.Kind;

/**
 * An instance of the machine with the one thread that calls it: a loop over the sockets, over what other threads ask
 * for, and over the one timer. Any number of {@link TurnSocket}s share it. Its thread does not keep a program alive.
 */
public final class Driver implements AutoCloseable {
    /** What other threads ask for. */
    interface Task<T> {
        T run(double now) throws IOException;
    }

    /** Whoever reads a channel when something has come. */
    interface Reader {
        void ready();
    }

    private record Job<T>(Task<T> task, CompletableFuture<T> done) {
        void run() {
            try {
                done.complete(task.run(now()));
            } catch (Throwable e) { // an Error, too, is the caller's, who waits
                done.completeExceptionally(e);
            }
        }
    }

    /** A thread that cannot be interrupted: compiled code would die of it, and a selector would not wait any more. */
    private static final class Worker extends Thread {
        Worker(Runnable work) {
            super(null, work, "turnwasm", STACK);
            setDaemon(true);
        }

        @Override
        public void interrupt() {}
    }

    /** Ticks in a row: each wakes some of the clients that are due. Then the sockets get their turn. */
    private static final int MOST_TICKS = 64;

    /** Jobs in a row, for the same reason: threads may submit them as fast as they are done. */
    private static final int MOST_JOBS = 64;

    private static final long STACK = 4 << 20;

    private static Driver shared;

    private final Instance instance;
    private final Selector selector;
    private final Thread thread;
    private final Queue<Job<?>> jobs = new ConcurrentLinkedQueue<>();
    private final List<TurnSocket> sockets = new ArrayList<>();
    private final ByteBuffer buffer = UdpPath.buffer();
    private volatile boolean ended;

    private Driver(Instance instance) throws IOException {
        this.instance = instance;
        selector = Selector.open();
        thread = new Worker(this::loop);
    }

    /** A new instance of the module, and its thread. */
    public static Driver start(TurnModule module) throws IOException {
        FutureTask<Instance> making = new FutureTask<>(() -> new Instance(module));
        new Worker(making).start(); // the caller's thread may be interrupted
        Driver driver = new Driver(await(making));
        driver.thread.start();
        return driver;
    }

    /** The driver that is shared by all who do not bring one; another when the one before has died. */
    static synchronized Driver shared() throws IOException {
        if (shared == null || shared.ended) shared = start(TurnModule.compiled());
        return shared;
    }

    /** Now, on the machine's clock. */
    static double now() {
        return (System.nanoTime() - EPOCH) / 1e6;
    }

    /** nanoTime may begin anywhere, below 0 too; the machine's clock does not. */
    private static final long EPOCH = System.nanoTime();

    /** Ends the thread. The sockets that are left are closed without waiting for the server. */
    @Override
    public void close() throws IOException {
        submit(now -> {
            try {
                for (TurnSocket socket : List.copyOf(sockets)) socket.release(now, Duration.ZERO);
                return null;
            } finally {
                ended = true; // or the join waits for ever; the sockets that were not released die
            }
        });
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted");
        }
    }

    Instance instance() {
        return instance;
    }

    /** Runs the task on the driver's thread, and waits for its answer. */
    <T> T call(Task<T> task) throws IOException {
        return await(submit(task));
    }

    /** Has the task run on the driver's thread, behind those that were submitted before. */
    <T> Future<T> submit(Task<T> task) {
        Job<T> job = new Job<>(task, new CompletableFuture<>());
        jobs.add(job);
        selector.wakeup();
        if (ended) refuse();
        return job.done;
    }

    /** What came of it, with the failure's own exception. */
    static <T> T await(Future<T> future) throws IOException {
        try {
            return future.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted");
        } catch (ExecutionException e) {
            if (e.getCause() instanceof TurnException failure) throw failure.again();
            if (e.getCause() instanceof IOException failure) throw failure;
            if (e.getCause() instanceof IllegalArgumentException mistake) throw mistake;
            throw new IOException(e.getCause());
        }
    }

    /** What the thread reads into. */
    ByteBuffer buffer() {
        return buffer;
    }

    void add(TurnSocket socket) {
        sockets.add(socket);
    }

    void remove(TurnSocket socket) {
        sockets.remove(socket);
    }

    /** Has the channel read. */
    void register(DatagramChannel channel, Reader reader) throws IOException {
        channel.configureBlocking(false);
        channel.register(selector, SelectionKey.OP_READ, reader);
    }

    private void loop() {
        TurnException why = new TurnException(Kind.CLOSED, "turn: the driver is closed");
        try (selector) {
            while (!ended && instance.dead() == null) turn();
        } catch (IOException | RuntimeException | Error e) { // the selector's, or a mistake of ours: nobody is to wait for ever
            why = new TurnException(Kind.TRAPPED, 0, "turn: the driver failed: " + e, e);
        } finally {
            ended = true;
            for (TurnSocket socket : List.copyOf(sockets)) socket.died(why);
            refuse();
        }
    }

    private void turn() throws IOException {
        select();
        Job<?> job;
        for (int i = 0; i < MOST_JOBS && (job = jobs.poll()) != null; i++) job.run();
        try {
            for (int i = 0; i < MOST_TICKS && instance.next() <= now(); i++) instance.tick(now());
        } catch (TurnException e) {
            if (e.kind() != Kind.TRAPPED) throw e; // every socket was told of that
        }
    }

    private void select() throws IOException {
        double wait = jobs.isEmpty() ? instance.next() - now() : 0;
        if (wait <= 0) selector.selectNow(Driver::read);
        else if (wait == Double.POSITIVE_INFINITY) selector.select(Driver::read);
        else selector.select(Driver::read, (long) Math.ceil(wait));
    }

    private static void read(SelectionKey key) {
        ((Reader) key.attachment()).ready();
    }

    /** Tells those who came too late. */
    private void refuse() {
        TurnException why = instance.dead() != null ? instance.dead() : new TurnException(Kind.CLOSED, "turn: the driver is closed");
        for (Job<?> job; (job = jobs.poll()) != null;) job.done.completeExceptionally(why);
    }
}
