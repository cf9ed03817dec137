package turnwasm;

import com.dylibso.chicory.runtime.ByteArrayMemory;
import com.dylibso.chicory.runtime.Instance.Builder;
import com.dylibso.chicory.runtime.Machine;
import com.dylibso.chicory.wasm.ChicoryException;
import com.dylibso.chicory.wasm.Parser;
import com.dylibso.chicory.wasm.WasmModule;
import com.dylibso.chicory.wasm.types.ExportSection;
import com.dylibso.chicory.wasm.types.ExternalType;
import com.dylibso.chicory.wasm.types.MemoryLimits;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;

/**
 * turn.wasm. The one that this library was built with is class files, which the JVM compiles as it does any other; a
 * module from elsewhere is interpreted: it opens in 2 s instead of half of one, and each call takes several times longer.
 */
public final class TurnModule {
    /**
     * The most linear memory of an instance: it lies in the JVM's heap, in one array that is copied when it grows. The
     * module's own 512 MiB would be a quarter of the memory of many a server.
     */
    private static final int MOST_PAGES = 2048;

    private final WasmModule module;
    private final Function<com.dylibso.chicory.runtime.Instance, Machine> machine; // null: the interpreter

    private TurnModule(WasmModule module, Function<com.dylibso.chicory.runtime.Instance, Machine> machine) throws TurnException {
        this.module = module;
        this.machine = machine;
        checkExports();
    }

    /** The module that was compiled with this library. */
    public static TurnModule compiled() throws TurnException {
        return new TurnModule(Compiled.load(), Compiled::create);
    }

    /** A module from a file; when it has the same bytes as the compiled one, it is that. */
    public static TurnModule load(Path file) throws TurnException {
        byte[] bytes;
        try {
            bytes = Files.readAllBytes(file);
        } catch (IOException e) {
            throw failed("the module cannot be read: " + e, e);
        }
        return isCompiled(bytes) ? compiled() : of(bytes);
    }

    /** A module from its bytes, interpreted. */
    static TurnModule of(byte[] wasm) throws TurnException {
        try {
            return new TurnModule(Parser.parse(wasm), null);
        } catch (RuntimeException e) { // of the parser's own, or an index of its that a broken file has led astray
            throw failed("the module does not load: " + e.getMessage(), e);
        }
    }

    private static boolean isCompiled(byte[] wasm) throws TurnException {
        try (InputStream ours = TurnModule.class.getResourceAsStream("turn.wasm")) {
            return ours != null && Arrays.equals(wasm, ours.readAllBytes());
        } catch (IOException e) {
            throw failed("the packaged module cannot be read", e);
        }
    }

    /** A module of another make is refused with the name of what is missing. */
    private void checkExports() throws TurnException {
        Set<String> functions = new HashSet<>();
        ExportSection exports = module.exportSection();
        for (int i = 0; i < exports.exportCount(); i++) {
            if (exports.getExport(i).exportType() == ExternalType.FUNCTION) functions.add(exports.getExport(i).name());
        }
        for (String name : new TreeSet<>(AbiGen.EXPORTS.keySet())) {
            if (!functions.contains(name)) throw failed("the module has no export " + name + ": it is of another make", null);
        }
        if (module.memorySection().isEmpty()) throw failed("the module has no memory: it is of another make", null);
    }

    /** A new instance; nothing of it has been called. */
    com.dylibso.chicory.runtime.Instance instantiate(Wasi wasi) throws TurnException {
        MemoryLimits own = module.memorySection().orElseThrow().getMemory(0).limits();
        Builder builder = com.dylibso.chicory.runtime.Instance.builder(module).withImportValues(wasi.imports()).withStart(false)
                .withMemoryLimits(new MemoryLimits(own.initialPages(), Math.min(own.maximumPages(), MOST_PAGES)))
                .withMemoryFactory(ByteArrayMemory::new);
        if (machine != null) builder.withMachineFactory(machine);
        try {
            return builder.build();
        } catch (ChicoryException e) {
            throw failed("the module cannot be instantiated: " + e.getMessage(), e);
        }
    }

    static TurnException failed(String text, Throwable cause) {
        return new TurnException(TurnException.Kind.MODULE, 0, "turn: " + text, cause);
    }
}
