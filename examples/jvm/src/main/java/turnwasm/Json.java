package turnwasm;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** As much of JSON as the programs here read and write. */
final class Json {
    private final String text;
    private int at;

    private Json(String text) {
        this.text = text;
    }

    /** Maps, lists, strings, doubles, booleans, null. */
    static Object read(String text) {
        Json json = new Json(text);
        Object value = json.value();
        if (json.peek() != 0) throw json.bad();
        return value;
    }

    /** An object of names and values in turn, as one line. */
    static String line(Object... namesAndValues) {
        StringBuilder s = new StringBuilder("{");
        for (int i = 0; i < namesAndValues.length; i += 2) {
            if (i > 0) s.append(',');
            quote(s, namesAndValues[i].toString());
            s.append(':');
            write(s, namesAndValues[i + 1]);
        }
        return s.append('}').toString();
    }

    private static void write(StringBuilder s, Object value) {
        if (value instanceof Double d) s.append(Math.round(d * 1000) / 1000.0);
        else if (value instanceof Number || value instanceof Boolean) s.append(value);
        else if (value instanceof Map<?, ?> m) s.append(line(m.entrySet().stream().flatMap(e -> Stream.of(e.getKey(), e.getValue())).toArray()));
        else quote(s, String.valueOf(value));
    }

    private static void quote(StringBuilder s, String text) {
        s.append('"');
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') s.append('\\').append(c);
            else if (c < ' ') s.append(String.format("\\u%04x", (int) c));
            else s.append(c);
        }
        s.append('"');
    }

    private Object value() {
        switch (peek()) {
            case '{':
                return object();
            case '[':
                return list();
            case '"':
                return string();
            default:
                int from = at;
                while (at < text.length() && (Character.isLetterOrDigit(text.charAt(at)) || "+-.".indexOf(text.charAt(at)) >= 0)) at++;
                return word(text.substring(from, at));
        }
    }

    private Object word(String word) {
        return switch (word) {
            case "null" -> null;
            case "true" -> true;
            case "false" -> false;
            case "" -> throw bad();
            default -> Double.valueOf(word);
        };
    }

    private Map<String, Object> object() {
        Map<String, Object> found = new LinkedHashMap<>();
        at++;
        while (more('}')) {
            String name = string();
            want(':');
            found.put(name, value());
        }
        return found;
    }

    private List<Object> list() {
        List<Object> found = new ArrayList<>();
        at++;
        while (more(']')) found.add(value());
        return found;
    }

    /** Whether another element follows; it passes over the comma, or over the end. */
    private boolean more(char end) {
        if (peek() == ',') at++;
        if (peek() != end) return true;
        at++;
        return false;
    }

    private String string() {
        want('"');
        StringBuilder s = new StringBuilder();
        for (;;) {
            if (at >= text.length()) throw bad();
            char c = text.charAt(at++);
            if (c == '"') return s.toString();
            s.append(c == '\\' ? escaped() : c);
        }
    }

    private char escaped() {
        if (at >= text.length()) throw bad();
        char c = text.charAt(at++);
        switch (c) {
            case 'n':
                return '\n';
            case 't':
                return '\t';
            case 'r':
                return '\r';
            case 'u':
                at += 4;
                return (char) Integer.parseInt(text.substring(at - 4, at), 16);
            default:
                return c;
        }
    }

    /** The next character that is no space; 0 at the end. */
    private char peek() {
        while (at < text.length() && Character.isWhitespace(text.charAt(at))) at++;
        return at < text.length() ? text.charAt(at) : 0;
    }

    private void want(char c) {
        if (peek() != c) throw bad();
        at++;
    }

    private IllegalArgumentException bad() {
        return new IllegalArgumentException("not JSON at character " + at);
    }
}
