package turnwasm;

import static turnwasm.AbiGen.*;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/** Replays what "go run ./wasm/internal/transcripts" has written down, and compares every byte. */
final class Transcripts {
    private static final HexFormat HEX = HexFormat.of();

    /** Arguments that are f64; all others are i32. */
    private static final Map<String, Integer> DOUBLES = Map.of("turn_close", 1, "turn_restore", 0);

    private static final Set<String> ASKS = Set.of("turn_state", "turn_stats");

    private final Instance instance;
    private final Region region;

    private Transcripts(TurnModule module) throws TurnException {
        instance = new Instance(module);
        region = instance.region();
    }

    static boolean replay(TurnModule module, Path file) throws IOException {
        int scripts = 0;
        int steps = 0;
        try (BufferedReader lines = Files.newBufferedReader(file)) {
            for (String line; (line = lines.readLine()) != null; scripts++) {
                Map<?, ?> script = (Map<?, ?>) Json.read(line);
                Transcripts replay = new Transcripts(module);
                List<?> all = (List<?>) script.get("steps");
                for (int i = 0; i < all.size(); i++, steps++) {
                    Map<?, ?> want = (Map<?, ?>) all.get(i);
                    Map<String, Object> got = replay.step(want);
                    if (!got.equals(expected(want))) {
                        System.err.println("transcripts: " + script.get("script") + ": step " + (i + 1) + ": want " + expected(want) + ", got " + got);
                        return false;
                    }
                }
            }
        }
        System.out.println(Json.line("type", "transcripts", "scripts", scripts, "steps", steps));
        return scripts > 0;
    }

    /** Of a step, what is to come out. */
    private static Map<String, Object> expected(Map<?, ?> step) {
        Map<String, Object> want = new LinkedHashMap<>();
        for (String name : List.of("ret", "status", "error", "control", "next", "out")) {
            if (step.get(name) != null) want.put(name, step.get(name));
        }
        return want;
    }

    private Map<String, Object> step(Map<?, ?> step) throws TurnException {
        String call = (String) step.get("call");
        long answer = instance.call(call, arguments(call, step));
        boolean batch = step.containsKey("desc");
        Map<String, Object> got = new LinkedHashMap<>();
        double ret = call.equals("turn_tick") ? Double.longBitsToDouble(answer) : (int) answer;
        if (ret != Double.POSITIVE_INFINITY) got.put("ret", ret);
        int status = batch ? region.status() : 0;
        if (status != 0) got.put("status", (double) status);
        if ((ret < 0 || status < 0) && !region.errorText().isEmpty()) got.put("error", region.errorText());
        if (ASKS.contains(call) && ret > 0) got.put("control", HEX.formatHex(region.controlOut((int) ret)));
        boolean outs = batch || call.equals("turn_parting");
        got.put("out", drain(outs ? (int) answer : 0));
        if (region.next() != Double.POSITIVE_INFINITY) got.put("next", region.next());
        return got;
    }

    /** Puts what goes in where it belongs; the call's arguments. */
    private long[] arguments(String call, Map<?, ?> step) {
        List<Long> args = new ArrayList<>();
        if (step.get("now") != null) args.add(Instance.f64((Double) step.get("now")));
        List<?> others = (List<?>) Objects.requireNonNullElse(step.get("args"), List.of());
        for (int i = 0; i < others.size(); i++) {
            double n = (Double) others.get(i);
            args.add(DOUBLES.getOrDefault(call, -1) == i ? Instance.f64(n) : (long) n);
        }
        if (step.get("in") != null) {
            byte[] record = HEX.parseHex((String) step.get("in"));
            region.writeControl(record, record.length);
            args.add((long) record.length);
        }
        if (step.get("desc") != null) {
            place((Map<?, ?>) step.get("desc"));
            args.add(1L);
        }
        return args.stream().mapToLong(Long::longValue).toArray();
    }

    private void place(Map<?, ?> desc) {
        InetSocketAddress address = null;
        if (number(desc, "family") != 0) {
            byte[] ip = HEX.parseHex((String) desc.get("addr"), 0, number(desc, "family") == 4 ? 8 : 32);
            address = Addresses.of(ip, number(desc, "port"));
        }
        byte[] data = HEX.parseHex((String) desc.get("data"));
        if (!region.writeIn(number(desc, "client"), number(desc, "kind"), number(desc, "flow"), data, address)) throw new IllegalArgumentException("a payload too large");
    }

    private static int number(Map<?, ?> desc, String name) {
        return desc.get(name) instanceof Double d ? (int) (double) d : 0;
    }

    /** What the call has answered, and what is to be polled after it. */
    private List<Object> drain(int answered) throws TurnException {
        List<Object> all = new ArrayList<>();
        collect(all, answered);
        while (region.pending()) collect(all, (int) instance.call("turn_poll"));
        return all;
    }

    private void collect(List<Object> all, int n) {
        for (int i = 0; i < n; i++) all.add(describe(i));
    }

    /** An out-descriptor as the transcript has it, from its bytes: what is 0 is left out. */
    private Map<String, Object> describe(int i) {
        ByteBuffer d = ByteBuffer.wrap(region.rawOut(i)).order(ByteOrder.LITTLE_ENDIAN);
        Map<String, Object> m = new LinkedHashMap<>();
        m.put("client", (double) d.getInt(DESC_CLIENT));
        m.put("kind", (double) d.get(DESC_KIND));
        putNumber(m, "family", d.get(DESC_FAMILY));
        putNumber(m, "port", Short.toUnsignedInt(d.getShort(DESC_PORT)));
        putNumber(m, "flow", d.getInt(DESC_FLOW));
        putNumber(m, "peer", d.getInt(DESC_PEER));
        putNumber(m, "status", d.getInt(DESC_STATUS));
        putNumber(m, "channel", d.getInt(DESC_CHANNEL));
        String address = HEX.formatHex(d.array(), DESC_ADDR, DESC_ADDR + 16);
        if (d.get(DESC_FAMILY) != 0) m.put("addr", address);
        if (d.getLong(DESC_TAG) != 0) m.put("tag", HEX.toHexDigits(d.getLong(DESC_TAG)));
        List<Object> packets = new ArrayList<>();
        for (int k = 0; k < Math.max(1, d.getInt(DESC_COUNT)); k++) {
            packets.add(HEX.formatHex(region.read(d.getInt(DESC_OFFSET) + k * d.getInt(DESC_STRIDE), d.getInt(DESC_LENGTH))));
        }
        m.put("data", packets);
        return m;
    }

    private static void putNumber(Map<String, Object> m, String name, int n) {
        if (n != 0) m.put(name, (double) n);
    }
}
