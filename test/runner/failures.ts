/** The part of vitest's JSON report that names what did not pass. */
export interface ReportedFiles {
  readonly testResults?: readonly {
    readonly name: string
    readonly status: string
    readonly message?: string
    readonly assertionResults: readonly {
      readonly fullName: string
      readonly status: string
      readonly failureMessages?: readonly string[] | null
    }[]
  }[]
}

/** Wide enough for a name and a reason, narrow enough for the tail that a CI shows. */
const WIDTH = 240
const MOST_LINES = 12

/** File, name and reason of each test that did not pass; a reason of several lines goes on beneath, indented. */
export function failuresOf({ testResults = [] }: ReportedFiles): readonly string[] {
  return testResults.flatMap((file) => {
    const name = file.name.split('/').slice(-2).join('/')
    const tests = file.assertionResults
      .filter(({ status }) => status !== 'passed')
      .map((test) => told(name, test.fullName, test.failureMessages?.[0] ?? test.status))
    const unexplained = file.status === 'failed' && tests.length === 0
    return unexplained ? [told(name, 'the file itself', file.message ?? '')] : tests
  })
}

function told(file: string, test: string, reason: string): string {
  // Colours of an assertion would be cut in the middle and paint the rest of a terminal.
  // eslint-disable-next-line no-control-regex
  const plain = reason.replace(/\u001b\[[\d;]*m/g, '').split('\n')
  const stack = plain.findIndex((line) => /^ +at /.test(line))
  const words = stack === -1 ? plain : plain.slice(0, stack)
  // What a program said on its way is long, and its last words tell why it ended.
  const rest = words.slice(1).slice(-MOST_LINES)
  return [`${file}: ${test}: ${words[0] ?? ''}`, ...rest.map((line) => `    ${line}`)]
    .map((line) => line.slice(0, WIDTH))
    .join('\n')
}
