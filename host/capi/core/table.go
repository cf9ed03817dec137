//go:build unix

package core

import (
	"slices"
	"sync"
	"sync/atomic"
)

// lastHandle: no number is used twice, for sockets and runtimes together, so a
// handle that is stale or of another kind is nobody's.
var lastHandle atomic.Uint64

// table is what handles stand for.
type table[T any] struct {
	kind  string
	mu    sync.RWMutex
	items map[uint64]T
}

func (t *table[T]) add(item T) uint64 {
	h := lastHandle.Add(1)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.items == nil {
		t.items = make(map[uint64]T)
	}
	t.items[h] = item
	return h
}

func (t *table[T]) get(h uint64) (T, error) {
	t.mu.RLock()
	item, ok := t.items[h]
	t.mu.RUnlock()
	if !ok {
		return item, refuse(Handle, "there is no %s %d: it is closed, or never was", t.kind, h)
	}
	return item, nil
}

// drop answers whether this call was the one that dropped it.
func (t *table[T]) drop(h uint64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, ok := t.items[h]
	delete(t.items, h)
	return ok
}

// all are the handles, in the order in which they were given.
func (t *table[T]) all() []uint64 {
	t.mu.RLock()
	defer t.mu.RUnlock()
	list := make([]uint64, 0, len(t.items))
	for h := range t.items {
		list = append(list, h)
	}
	slices.Sort(list)
	return list
}
