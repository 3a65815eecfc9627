// The store of immudb, embedded, with synced writes: a commit returns when its log was synced, which it does at most
// every 20 ms unless it is told otherwise.
package main

import (
	"context"
	"encoding/binary"
	"sync/atomic"

	"github.com/codenotary/immudb/embedded/logger"
	"github.com/codenotary/immudb/embedded/store"

	"palisade.dev/bench/audit/peers/load"
)

func main() {
	options := load.Parse()
	ctx := context.Background()
	settings := store.DefaultOptions().
		WithSynced(true).
		WithMaxConcurrency(options.Writers).
		WithMaxActiveTransactions(2 * options.Writers).
		WithMaxWaitees(4 * options.Writers).
		WithLogger(logger.NewMemoryLoggerWithLevel(logger.LogError))
	db, err := store.Open(options.Dir, settings)
	if err != nil {
		load.Fail(err)
	}
	var last atomic.Uint64
	load.Run("github.com/codenotary/immudb", options, func(record []byte) error {
		tx, err := db.NewWriteOnlyTx(ctx)
		if err != nil {
			return err
		}
		key := binary.BigEndian.AppendUint64(nil, last.Add(1))
		if err := tx.Set(key, nil, record); err != nil {
			return err
		}
		_, err = tx.Commit(ctx)
		return err
	})
	if err := db.Close(); err != nil {
		load.Fail(err)
	}
}
