package turnwasm;

import com.dylibso.chicory.runtime.HostFunction;
import com.dylibso.chicory.runtime.ImportValues;
import com.dylibso.chicory.runtime.Instance;
import com.dylibso.chicory.runtime.Memory;
import com.dylibso.chicory.runtime.WasmFunctionHandle;
import com.dylibso.chicory.wasm.types.FunctionType;
import com.dylibso.chicory.wasm.types.ValType;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The ten functions of WASI that the module imports: a random source, the clock of Go's own runtime, and a standard
 * error of which the end is kept. The machine takes its time as an argument and reaches no file and no socket.
 */
final class Wasi {
    private static final int SUCCESS = 0;
    private static final int EBADF = 8;
    private static final int EINVAL = 28;

    /** Most bytes of the standard error that are kept. */
    private static final int TAIL = 4096;

    /** Thrown by proc_exit: the guest has given up. */
    static final class Exit extends RuntimeException {
        private static final long serialVersionUID = 1;

        Exit(long status) {
            super("exit status " + status);
        }
    }

    private interface Call {
        int answer(Memory memory, long[] args);
    }

    private static final SecureRandom RANDOM = new SecureRandom();

    /** The last bytes of the standard error: Go's word on a fatal fault is there and nowhere else. */
    private byte[] tail = new byte[0];

    /** The first line that is left of what was written to the standard error. */
    String lastWords() {
        return new String(tail, StandardCharsets.UTF_8).lines().findFirst().orElse("");
    }

    ImportValues imports() {
        return ImportValues.builder().addFunction(
                function("args_get", "ii", (m, a) -> SUCCESS),
                function("args_sizes_get", "ii", Wasi::nothing),
                function("environ_get", "ii", (m, a) -> SUCCESS),
                function("environ_sizes_get", "ii", Wasi::nothing),
                function("clock_time_get", "ili", Wasi::clock),
                function("fd_write", "iiii", this::write),
                function("poll_oneoff", "iiii", Wasi::poll),
                function("random_get", "ii", Wasi::random),
                function("sched_yield", "", (m, a) -> SUCCESS),
                new HostFunction("wasi_snapshot_preview1", "proc_exit", FunctionType.accepting(ValType.I32), (instance, args) -> {
                    throw new Exit(args[0]);
                })).build();
    }

    /** A function that answers an errno; of its parameters i is an i32, l an i64. */
    private static HostFunction function(String name, String parameters, Call call) {
        List<ValType> types = new ArrayList<>();
        for (char c : parameters.toCharArray()) types.add(c == 'i' ? ValType.I32 : ValType.I64);
        WasmFunctionHandle handle = (Instance instance, long... args) -> new long[] {call.answer(instance.memory(), args)};
        return new HostFunction("wasi_snapshot_preview1", name, FunctionType.of(types, List.of(ValType.I32)), handle);
    }

    private static int nothing(Memory m, long[] a) {
        m.writeI32((int) a[0], 0);
        m.writeI32((int) a[1], 0);
        return SUCCESS;
    }

    private static int clock(Memory m, long[] a) {
        m.writeLong((int) a[2], System.nanoTime());
        return SUCCESS;
    }

    private static int random(Memory m, long[] a) {
        int length = (int) a[1];
        if (length < 0 || length > 1 << 20) return EINVAL; // the machine asks for 32 bytes a client
        byte[] b = new byte[length];
        RANDOM.nextBytes(b);
        m.write((int) a[0], b);
        Arrays.fill(b, (byte) 0);
        return SUCCESS;
    }

    private int write(Memory m, long[] a) {
        if (a[0] != 1 && a[0] != 2) return EBADF;
        int total = 0;
        for (int i = 0; i < a[2]; i++) {
            int at = m.readInt((int) a[1] + 8 * i);
            int length = m.readInt((int) a[1] + 8 * i + 4);
            if (length < 0) return EINVAL;
            int kept = Math.min(length, TAIL);
            if (a[0] == 2) keep(m.readBytes(at + length - kept, kept));
            total += length;
        }
        m.writeI32((int) a[3], total);
        return SUCCESS;
    }

    private void keep(byte[] b) {
        byte[] all = Arrays.copyOf(tail, tail.length + b.length);
        System.arraycopy(b, 0, all, tail.length, b.length);
        tail = Arrays.copyOfRange(all, Math.max(0, all.length - TAIL), all.length);
    }

    /** Go's runtime polls its clock at every collection, and dies of an error: so each subscription has come to pass at once. */
    private static int poll(Memory m, long[] a) {
        for (int i = 0; i < a[2]; i++) {
            int from = (int) a[0] + 48 * i;
            int to = (int) a[1] + 32 * i;
            m.write(to, new byte[32]);
            m.writeLong(to, m.readLong(from)); // userdata
            m.writeByte(to + 10, m.read(from + 8)); // type
        }
        m.writeI32((int) a[3], (int) a[2]);
        return SUCCESS;
    }
}
