package instance

// Laneless makes every payload go the machine's own way.
func (in *Instance) Laneless() { in.laneless = true }
