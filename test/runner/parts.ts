/** One command of a part; `node_modules/.bin` is on its PATH. */
export interface Step {
  readonly name: string
  readonly command: readonly string[]
  /** Present when the command is vitest: its JSON report adds to the count of passed and failed tests. */
  readonly vitest?: Selection
}

/** A part of the test run with its time budget in minutes, tools already built. */
export interface Part {
  readonly name: string
  readonly budgetMinutes: number
  /**
   * Lanes run side by side, the steps of a lane one after the other. Only what shares no real part may be in two
   * lanes: one has the cluster, which mostly waits, the other the servers that a test starts for itself.
   */
  readonly lanes: readonly (readonly Step[])[]
}

const run = (name: string, ...command: string[]): Step => ({ name, command })

/** Test files of a project whose path contains one of the filters. */
export interface Selection {
  readonly project: 'unit' | 'postgres' | 'apiserver' | 'promtool' | 'cluster'
  readonly filters: readonly string[]
}

const vitest = (project: Selection['project'], ...filters: string[]): Step => ({
  name: `vitest ${project} ${filters.join(' ')}`.trim(),
  command: ['vitest', 'run', '--project', project, ...filters],
  vitest: { project, filters },
})

/**
 * Budgets hold for ever: a new test that does not fit displaces a slower one. The first part builds what is not
 * in the cache and brings the platform up; the parts after it have 35 minutes in all.
 */
export const PARTS: readonly Part[] = [
  { name: 'platform', budgetMinutes: 30, lanes: [[run('make up', 'node', 'local/main.ts', 'up')]] },
  {
    name: 'foundation',
    budgetMinutes: 8,
    lanes: [
      [
        run('types', 'npm', 'run', '--silent', 'types'),
        run('lint', 'npm', 'run', '--silent', 'lint'),
        run('generated files', 'npm', 'run', '--silent', 'gen:check'),
        run('known vulnerabilities', 'node', 'test/gates/npm-audit.ts'),
        vitest('unit'),
        vitest('apiserver', 'api/', 'policies/', 'local/', 'test/our-resources'),
      ],
      [vitest('cluster', 'local/', 'test/cluster/machine', 'test/cluster/node', 'test/cluster/up')],
    ],
  },
  {
    name: 'audit',
    budgetMinutes: 4,
    lanes: [[vitest('postgres', 'gateway/store/', 'gateway/sealer/', 'test/faults/')]],
  },
  {
    name: 'operator',
    budgetMinutes: 8,
    lanes: [
      [vitest('postgres', 'operator/'), vitest('apiserver', 'operator/')],
      [vitest('cluster', 'examples/', 'test/cluster/rotation')],
    ],
  },
  {
    name: 'identity and secrets',
    budgetMinutes: 5,
    lanes: [
      [
        vitest('postgres', 'gateway/gateway', 'gateway/limits/', 'gateway/embedded/'),
        vitest('apiserver', 'gateway/'),
        vitest('cluster', 'test/cluster/gateway', 'test/cluster/audit'),
      ],
    ],
  },
  {
    name: 'edge and data',
    budgetMinutes: 4,
    lanes: [
      [vitest('apiserver', 'infra/', 'charts/')],
      [vitest('cluster', 'infra/', 'test/cluster/edge', 'test/cluster/network')],
    ],
  },
  {
    name: 'operations',
    budgetMinutes: 6,
    lanes: [
      [vitest('promtool')],
      // The last of them takes the platform away and brings it back.
      [vitest('cluster', 'test/cluster/monitoring', 'test/cluster/runbooks', 'test/cluster/z')],
    ],
  },
]
