package turntest

import "reflect"

// maxFootprint bounds a client with everything that the simulation makes it
// hold: 6 peers, with queues of 64 KiB for each that waits for a permission.
const maxFootprint = 512 << 10

// checkMemory is I11. It walks the whole machine, so it looks now and then.
func (a *actor) checkMemory(*step) {
	const every = 256
	if a.w.report.Steps%every != 0 {
		return
	}
	if size := Footprint(a.m); size > maxFootprint {
		a.w.violate(a, "I11", "the client holds %d bytes", size)
	}
}

// Footprint is how many bytes a value holds, with all that it points to, each
// thing once. Functions, channels and interfaces' own tables are not followed.
func Footprint(v any) int {
	seen := map[uintptr]bool{}
	return footprint(reflect.ValueOf(v), seen)
}

// footprint is what lies outside of v's own bytes.
func footprint(v reflect.Value, seen map[uintptr]bool) int {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() || seen[v.Pointer()] {
			return 0
		}
		seen[v.Pointer()] = true
		return int(v.Type().Elem().Size()) + footprint(v.Elem(), seen)
	case reflect.Interface:
		if v.IsNil() {
			return 0
		}
		return int(v.Elem().Type().Size()) + footprint(v.Elem(), seen)
	case reflect.String:
		return v.Len()
	case reflect.Slice:
		if v.IsNil() || v.Cap() == 0 || seen[v.Pointer()] {
			return 0
		}
		seen[v.Pointer()] = true
		return v.Cap()*int(v.Type().Elem().Size()) + each(v, seen)
	case reflect.Array:
		return each(v, seen)
	case reflect.Struct:
		total := 0
		for i := range v.NumField() {
			total += footprint(v.Field(i), seen)
		}
		return total
	case reflect.Map:
		return footprintOfMap(v, seen)
	}
	return 0
}

func each(v reflect.Value, seen map[uintptr]bool) int {
	if !pointsAnywhere(v.Type().Elem()) {
		return 0
	}
	total := 0
	for i := range v.Len() {
		total += footprint(v.Index(i), seen)
	}
	return total
}

func footprintOfMap(v reflect.Value, seen map[uintptr]bool) int {
	total := 0
	for it := v.MapRange(); it.Next(); {
		total += int(v.Type().Key().Size()+v.Type().Elem().Size()) +
			footprint(it.Key(), seen) + footprint(it.Value(), seen)
	}
	return total
}

func pointsAnywhere(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.String, reflect.Slice, reflect.Map, reflect.Struct, reflect.Array:
		return true
	}
	return false
}
