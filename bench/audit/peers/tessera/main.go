// Tessera on a POSIX file system: an append returns when its batch is in the tree, in files that were synced.
package main

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"

	"palisade.dev/bench/audit/peers/load"
)

func main() {
	options := load.Parse()
	ctx := context.Background()
	key, _, err := note.GenerateKey(rand.Reader, "palisade.dev/bench")
	if err != nil {
		load.Fail(err)
	}
	signer, err := note.NewSigner(key)
	if err != nil {
		load.Fail(err)
	}
	driver, err := posix.New(ctx, posix.Config{Path: options.Dir})
	if err != nil {
		load.Fail(err)
	}
	// Its own size of a batch; a checkpoint each second and a batch each 100 ms at the latest, as our sealer does.
	settings := tessera.NewAppendOptions().
		WithCheckpointSigner(signer).
		WithCheckpointInterval(time.Second).
		WithBatching(tessera.DefaultBatchMaxSize, 100*time.Millisecond)
	appender, shutdown, _, err := tessera.NewAppender(ctx, driver, settings)
	if err != nil {
		load.Fail(err)
	}
	load.Run("github.com/transparency-dev/tessera", options, func(record []byte) error {
		_, err := appender.Add(ctx, tessera.NewEntry(record))()
		return err
	})
	if err := shutdown(ctx); err != nil {
		load.Fail(err)
	}
}
