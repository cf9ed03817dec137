package turnwasm;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The programs of this folder: a checker of TURN servers, and the tests that every host of the module passes. */
public final class Quickstart {
    private static final String USAGE = """
            usage: java -jar quickstart.jar [-module FILE] COMMAND
              check -server URI -username U -password P -peer IP:PORT [-count N]
              transcripts FILE
              leaks
              bad-input [-trap FILE]""";

    private final Map<String, String> flags = new HashMap<>();
    private final ArrayList<String> words = new ArrayList<>();

    private Quickstart(String[] args) {
        for (int i = 0; i < args.length; i++) {
            if (!args[i].startsWith("-")) words.add(args[i]);
            else if (i + 1 < args.length) flags.put(args[i].replaceFirst("^--?", ""), args[++i]);
            else throw new IllegalArgumentException(args[i] + " has no value");
        }
    }

    /** Exit status: 0 = all well, 1 = it failed (and why), 2 = usage. */
    public static void main(String[] args) {
        int status;
        try {
            status = new Quickstart(args).run() ? 0 : 1;
        } catch (IllegalArgumentException e) {
            System.err.println(e.getMessage() + "\n" + USAGE);
            status = 2;
        } catch (IOException e) {
            System.err.println("quickstart: " + e.getMessage());
            status = 1;
        }
        System.exit(status);
    }

    private boolean run() throws IOException {
        switch (words.isEmpty() ? "" : words.get(0)) {
            case "check":
                return new Check(module(), want("server"), want("username"), want("password"),
                        Addresses.parse(want("peer")), Integer.parseInt(flags.getOrDefault("count", "200"))).run();
            case "transcripts":
                if (words.size() != 2) throw new IllegalArgumentException("want one FILE");
                return Transcripts.replay(module(), Path.of(words.get(1)));
            case "leaks":
                return Leaks.check(module());
            case "bad-input":
                return new BadInput(module(), flags.get("trap")).run();
            default:
                throw new IllegalArgumentException("want a command");
        }
    }

    /** The module of -module or of the environment, or the one that was compiled with this. */
    private TurnModule module() throws IOException {
        String file = flags.getOrDefault("module", System.getenv("TURNWASM_MODULE"));
        return file == null || file.isEmpty() ? TurnModule.compiled() : TurnModule.load(Path.of(file));
    }

    private String want(String flag) {
        String value = flags.get(flag);
        if (value == null) throw new IllegalArgumentException("want -" + flag);
        return value;
    }

    /** A line of VmRSS and the like in /proc/self/status, in kB; 0 where there is none. */
    static long status(String name) throws IOException {
        Path file = Path.of("/proc/self/status");
        if (!Files.exists(file)) return 0;
        List<String> lines = Files.readAllLines(file);
        return lines.stream().filter(l -> l.startsWith(name + ":")).mapToLong(l -> Long.parseLong(l.replaceAll("\\D", ""))).findFirst().orElse(0);
    }
}
