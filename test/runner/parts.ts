/** One command of a part; `node_modules/.bin` is on its PATH. */
export interface Step {
  readonly name: string
  readonly command: readonly string[]
  /** Present when the command is vitest: its JSON report adds to the count of passed and failed tests. */
  readonly vitest?: true
}

/** A part of the test run with its time budget in minutes, tools already built. */
export interface Part {
  readonly name: string
  readonly budgetMinutes: number
  readonly steps: readonly Step[]
}

const run = (name: string, ...command: string[]): Step => ({ name, command })
const vitest = (project: string, ...filters: string[]): Step => ({
  name: `vitest ${project} ${filters.join(' ')}`.trim(),
  command: ['vitest', 'run', '--project', project, ...filters],
  vitest: true,
})

/** Budgets hold for ever: a new test that does not fit displaces a slower one. */
export const PARTS: readonly Part[] = [
  {
    name: 'foundation',
    budgetMinutes: 8,
    steps: [
      run('types', 'npm', 'run', '--silent', 'types'),
      run('lint', 'npm', 'run', '--silent', 'lint'),
      run('generated files', 'npm', 'run', '--silent', 'gen:check'),
      run('known vulnerabilities', 'node', 'test/gates/npm-audit.ts'),
      vitest('unit'),
      vitest('apiserver', 'api/', 'policies/', 'local/', 'infra/'),
      vitest('cluster', 'test/cluster/'),
    ],
  },
  {
    name: 'audit',
    budgetMinutes: 4,
    steps: [
      vitest('postgres', 'core/', 'gateway/store/', 'gateway/sealer/', 'test/faults/', 'cli/'),
    ],
  },
  {
    name: 'operator',
    budgetMinutes: 8,
    steps: [vitest('postgres', 'operator/'), vitest('apiserver', 'operator/')],
  },
  {
    name: 'identity and secrets',
    budgetMinutes: 8,
    steps: [
      vitest(
        'postgres',
        'gateway/routes/',
        'gateway/plugins/',
        'gateway/limits/',
        'gateway/embedded/',
        'test/gateway/',
      ),
    ],
  },
]
