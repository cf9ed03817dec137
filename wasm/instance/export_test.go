package instance

// Lanes is how many lanes of one direction an instance remembers.
const Lanes = len(lanes{})

// Laneless makes every payload go the machine's own way.
func (in *Instance) Laneless() { in.laneless = true }
