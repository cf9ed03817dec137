package turnwasm;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/** A WebAssembly module with the right exports, of which each answers one number: for the tests of what is refused. */
final class TinyModule {
    private static final int I32 = 0x7F;

    private TinyModule() {}

    /** The exports' names and the numbers of their parameters. */
    static byte[] of(Map<String, Integer> exports, int answer) {
        List<String> names = List.copyOf(exports.keySet());
        Bytes types = new Bytes().leb(names.size());
        Bytes functions = new Bytes().leb(names.size());
        Bytes exported = new Bytes().leb(names.size() + 1).text("memory").leb(2).leb(0);
        Bytes code = new Bytes().leb(names.size());
        for (int i = 0; i < names.size(); i++) {
            int parameters = exports.get(names.get(i));
            types.leb(0x60).leb(parameters);
            for (int k = 0; k < parameters; k++) types.leb(I32);
            types.leb(1).leb(I32);
            functions.leb(i);
            exported.text(names.get(i)).leb(0).leb(i);
            code.part(new Bytes().leb(0).leb(0x41).leb(answer).leb(0x0B)); // i32.const, end
        }
        Bytes all = new Bytes().raw(new byte[] {0, 'a', 's', 'm', 1, 0, 0, 0});
        all.leb(1).part(types).leb(3).part(functions).leb(5).part(new Bytes().leb(1).leb(0).leb(1)).leb(7).part(exported).leb(10).part(code);
        return all.out.toByteArray();
    }

    private static final class Bytes {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        Bytes leb(int n) {
            for (; n >= 0x80; n >>>= 7) out.write(n & 0x7F | 0x80);
            out.write(n);
            return this;
        }

        Bytes raw(byte[] b) {
            out.writeBytes(b);
            return this;
        }

        Bytes part(Bytes b) {
            return leb(b.out.size()).raw(b.out.toByteArray());
        }

        Bytes text(String s) {
            return leb(s.length()).raw(s.getBytes(StandardCharsets.US_ASCII));
        }
    }
}
