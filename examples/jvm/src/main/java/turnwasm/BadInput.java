package turnwasm;
import java.io.IOException;
final class BadInput { BadInput(TurnModule m, String trap) {} boolean run() throws IOException { return false; } }
