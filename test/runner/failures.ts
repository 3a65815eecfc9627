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

/** One line for each test that did not pass: file, name, first line of the reason. */
export function failuresOf({ testResults = [] }: ReportedFiles): readonly string[] {
  return testResults.flatMap((file) => {
    const name = file.name.split('/').slice(-2).join('/')
    const tests = file.assertionResults
      .filter(({ status }) => status !== 'passed')
      .map((test) => line(name, test.fullName, test.failureMessages?.[0] ?? test.status))
    const unexplained = file.status === 'failed' && tests.length === 0
    return unexplained ? [line(name, 'the file itself', file.message ?? '')] : tests
  })
}

function line(file: string, test: string, reason: string): string {
  // Colours of an assertion would be cut in the middle and paint the rest of a terminal.
  // eslint-disable-next-line no-control-regex
  const plain = reason.replace(/\u001b\[[\d;]*m/g, '')
  return `${file}: ${test}: ${plain.split('\n')[0] ?? ''}`.slice(0, WIDTH)
}
