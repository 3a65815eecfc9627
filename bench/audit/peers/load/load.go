// Package load drives one durable append after another and says how long they took.
package load

import (
	"crypto/rand"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Options are the same for every system.
type Options struct {
	Dir     string
	Size    int
	Writers int
	Seconds int
	Rate    int
}

// Parse reads the command line.
func Parse() Options {
	var o Options
	flag.StringVar(&o.Dir, "dir", "", "an empty directory")
	flag.IntVar(&o.Size, "size", 1000, "bytes of a record")
	flag.IntVar(&o.Writers, "writers", 64, "appends at the same time")
	flag.IntVar(&o.Seconds, "seconds", 5, "of each part")
	flag.IntVar(&o.Rate, "rate", 500, "records per second of the second part; 0 leaves it out")
	flag.Parse()
	return o
}

// Part is one part of a run; times are milliseconds.
type Part struct {
	Records   int     `json:"records"`
	PerSecond float64 `json:"perSecond"`
	P50       float64 `json:"p50"`
	P99       float64 `json:"p99"`
}

// Run appends as fast as the writers can, then at a fixed rate, and prints both parts as JSON. Append returns when
// the record would survive a crash.
func Run(module string, o Options, appendRecord func(record []byte) error) {
	full := saturate(o, appendRecord)
	out := map[string]any{"version": versionOf(module), "full": full}
	if o.Rate > 0 {
		out["steady"] = atRate(o, appendRecord)
	}
	if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
		Fail(err)
	}
}

// Fail ends the program.
func Fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func record(size int) []byte {
	bytes := make([]byte, size)
	if _, err := rand.Read(bytes); err != nil {
		Fail(err)
	}
	return bytes
}

func saturate(o Options, appendRecord func([]byte) error) Part {
	var (
		wait  sync.WaitGroup
		guard sync.Mutex
		all   []time.Duration
		begin = time.Now()
		end   = begin.Add(time.Duration(o.Seconds) * time.Second)
	)
	for range o.Writers {
		wait.Go(func() {
			var own []time.Duration
			for time.Now().Before(end) {
				since := time.Now()
				if err := appendRecord(record(o.Size)); err != nil {
					Fail(err)
				}
				own = append(own, time.Since(since))
			}
			guard.Lock()
			all = append(all, own...)
			guard.Unlock()
		})
	}
	wait.Wait()
	return partOf(all, time.Since(begin))
}

// From the moment at which each record was due, so that one that waits for its turn counts as waiting.
func atRate(o Options, appendRecord func([]byte) error) Part {
	var (
		wait  sync.WaitGroup
		count = o.Rate * o.Seconds
		all   = make([]time.Duration, count)
		next  atomic.Int64
		begin = time.Now()
	)
	for range o.Writers {
		wait.Go(func() {
			for {
				i := int(next.Add(1) - 1)
				if i >= count {
					return
				}
				due := begin.Add(time.Duration(i) * time.Second / time.Duration(o.Rate))
				time.Sleep(time.Until(due))
				if err := appendRecord(record(o.Size)); err != nil {
					Fail(err)
				}
				all[i] = time.Since(due)
			}
		})
	}
	wait.Wait()
	return partOf(all, time.Since(begin))
}

func partOf(times []time.Duration, took time.Duration) Part {
	slices.Sort(times)
	at := func(share float64) float64 {
		return float64(times[int(share*float64(len(times)-1))].Microseconds()) / 1000
	}
	return Part{len(times), float64(len(times)) / took.Seconds(), at(0.5), at(0.99)}
}

func versionOf(module string) string {
	info, _ := debug.ReadBuildInfo()
	for _, dep := range info.Deps {
		if dep.Path == module {
			return dep.Version
		}
	}
	return "unknown"
}
