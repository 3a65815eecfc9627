/** One command of a part; `node_modules/.bin` is on its PATH. */
export interface Step {
  readonly name: string
  readonly command: readonly string[]
  /** Present when the command is vitest: its JSON report adds to the count of passed and failed tests. */
  readonly vitest?: Selection
  /** It waits for minutes, and whatever else the platform does may go on meanwhile. */
  readonly waits?: true
}

/** A part of the test run with its time budget in minutes, tools already built. */
export interface Part {
  readonly name: string
  readonly budgetMinutes: number
  /** With servers that its tests start for themselves. */
  readonly apart: readonly Step[]
  /** On the platform, of which a machine has one. */
  readonly onPlatform: readonly Step[]
  /** On the platform while a step waits: disturbs nobody, and minds nobody. */
  readonly beside?: readonly Step[]
  /** On the platform, when all parts are done with it; those of the first part come last of all. */
  readonly last?: readonly Step[]
}

/** All of a run in minutes, once the platform is up. */
export const LIMIT_MINUTES = 35

/** A run from a fresh clone on a machine without a cache, the platform and its tools included. */
export const COLD_LIMIT_MINUTES = 60

const run = (name: string, ...command: string[]): Step => ({ name, command })

/** Test files of a project whose path contains one of the filters. */
export interface Selection {
  readonly project: 'unit' | 'postgres' | 'apiserver' | 'operator' | 'promtool' | 'cluster'
  readonly filters: readonly string[]
}

const vitest = (project: Selection['project'], ...filters: string[]): Step => ({
  name: `vitest ${project} ${filters.join(' ')}`.trim(),
  command: ['vitest', 'run', '--project', project, ...filters],
  vitest: { project, filters },
})

const tables = (...of: string[]) => of.map((name) => `gateway/store/${name}`)

/** Builds what is not in the cache, and everything after it needs it. */
export const PLATFORM: Part = {
  name: 'platform',
  budgetMinutes: 30,
  apart: [],
  onPlatform: [
    run('make up', 'node', 'local/main.ts', 'up'),
    // What `make up` does without; a test that finds it missing compiles it in its own time.
    run('programs of tests', 'node', 'local/tools/main.ts', 'test'),
  ],
}

/**
 * Budgets hold for ever: a new test that does not fit displaces a slower one. What computes most in one lane has its turn
 * while the other mostly waits: the operator's servers neither beside the example and its company, nor beside the end.
 */
export const PARTS: readonly Part[] = [
  {
    name: 'foundation',
    budgetMinutes: 8,
    apart: [
      run('types and lint', 'node', 'test/gates/types-and-lint.ts'),
      run('generated files', 'npm', 'run', '--silent', 'gen:check'),
      run('known vulnerabilities', 'node', 'test/gates/npm-audit.ts'),
      vitest('unit'),
      vitest(
        'apiserver',
        'api/',
        'cli/',
        'policies/',
        'local/cluster/',
        'local/provider/',
        'test/our-resources',
      ),
    ],
    onPlatform: [
      vitest(
        ...(['cluster', 'local/images/', 'local/tools/'] as const),
        ...['test/cluster/machine', 'test/cluster/up'],
      ),
    ],
    // Takes the platform away.
    last: [vitest('cluster', 'test/cluster/zz-destroy')],
  },
  {
    name: 'edge and data',
    budgetMinutes: 5,
    apart: [
      vitest(
        'postgres',
        ...tables('rls', 'fence', 'migrate', 'postgres-store', 'existing-database'),
      ),
      vitest('apiserver', 'infra/', 'charts/', 'local/stack/'),
    ],
    onPlatform: [vitest('cluster', 'test/cluster/node.')],
    beside: [
      vitest('cluster', 'infra/', 'local/operators/', 'test/cluster/edge', 'test/cluster/network'),
      // On a cluster of its own.
      vitest('cluster', 'test/cluster/node-queue'),
    ],
  },
  {
    name: 'operator',
    budgetMinutes: 8,
    apart: [vitest('postgres', 'operator/'), vitest('operator')],
    onPlatform: [
      { ...vitest('cluster', 'examples/'), waits: true },
      vitest('cluster', 'test/cluster/rotation'),
    ],
  },
  {
    name: 'audit',
    budgetMinutes: 4,
    apart: [vitest('postgres', 'gateway/store/audit', 'gateway/sealer/', 'test/faults/')],
    onPlatform: [vitest('cluster', 'test/cluster/audit')],
    // They start servers of their own, and are here because this lane has time while the other computes.
    last: [vitest('postgres', 'test/mutations/')],
  },
  {
    name: 'identity and secrets',
    budgetMinutes: 5,
    apart: [
      vitest('postgres', 'gateway/gateway', 'gateway/limits/', 'gateway/embedded/'),
      vitest('apiserver', 'gateway/'),
    ],
    onPlatform: [vitest('cluster', 'test/cluster/gateway', 'test/cluster/credentials')],
    // Searches for what everything before it may have left.
    last: [vitest('cluster', 'test/cluster/z-leaks')],
  },
  {
    name: 'operations',
    budgetMinutes: 3,
    apart: [vitest('promtool')],
    onPlatform: [vitest('cluster', 'test/cluster/monitoring', 'test/cluster/runbooks')],
  },
]
