package turnwasm;

/** What came of a close. */
public enum Outcome {
    /** The server has confirmed that it holds nothing any more. */
    RELEASED,
    /** There was nothing to release. */
    NOTHING_TO_RELEASE,
    /** The release was sent, and no answer came. */
    UNCONFIRMED,
    /** Nobody could be told: the server holds the allocation until it expires. */
    ABANDONED,
    /** Another client goes on with the allocation. */
    HANDED_OVER;

    /** As the boundary counts them; what this host does not know is held to be the worst. */
    static Outcome of(int number) {
        return number >= 1 && number <= values().length ? values()[number - 1] : ABANDONED;
    }

    /** Its name on the wire and in every other host. */
    @Override
    public String toString() {
        return AbiGen.OUTCOMES.get(ordinal() + 1);
    }

    /** Nothing is left behind. */
    public boolean good() {
        return this == RELEASED || this == NOTHING_TO_RELEASE || this == HANDED_OVER;
    }
}
