interface Result {
  readonly ancestorTitles: readonly string[]
  readonly title: string
  readonly status: string
  readonly failureMessages?: readonly string[] | null
}

/** What is read of vitest's JSON report. */
interface Report {
  readonly testResults: readonly {
    readonly message?: string
    readonly assertionResults: readonly Result[]
  }[]
}

/** `reason` says why a run that is neither red nor green counts for nothing. */
export type Verdict =
  { readonly kind: 'red' | 'green' } | { readonly kind: 'unfit'; readonly reason: string }

const unfit = (reason: string): Verdict => ({ kind: 'unfit', reason })
const nameOf = ({ ancestorTitles, title }: Result) => [...ancestorTitles, title].join(' > ')
const firstLine = (text: string) => text.split('\n')[0] ?? ''

/**
 * Compiled, imported, set up, and then refuted: anything else would turn red for every patch that breaks something.
 * The other two forms are vitest's for `resolves` and `rejects`, and for `poll`.
 */
const isAssertion = (message: string) =>
  /^(?:AssertionError\b|Error: promise (?:resolved|rejected) .* instead of |Error: expected )/s.test(
    message,
  )

/**
 * How the named test ended in a run that was to run nothing else.
 * @param report text of vitest's JSON report; undefined when it wrote none
 * @param test titles joined by " > "
 */
export function verdictOn(report: string | undefined, test: string): Verdict {
  if (report === undefined) return unfit('vitest wrote no report')
  const { testResults } = JSON.parse(report) as Report
  const ran = ranIn(testResults)
  const [one] = ran
  if (!one) {
    const why = testResults.map(({ message = '' }) => firstLine(message)).join('; ')
    return unfit(`no test ran${why ? `: ${why}` : ', so none is called so'}`)
  }
  if (ran.length > 1) return unfit(`${ran.length} tests are called so`)
  if (nameOf(one) !== test) return unfit(`"${nameOf(one)}" ran instead`)
  if (one.status === 'passed') return { kind: 'green' }
  const strange = (one.failureMessages ?? []).find((message) => !isAssertion(message))
  if (strange === undefined) return { kind: 'red' }
  return unfit(`it failed before it could judge: ${firstLine(strange)}`)
}

/** @returns which of these tests did not pass in a run of all of them */
export function notGreen(report: string | undefined, tests: readonly string[]): readonly string[] {
  const { testResults } = JSON.parse(report ?? '{"testResults":[]}') as Report
  const ran = ranIn(testResults)
  const isGreen = (test: string) => {
    const own = ran.filter((result) => nameOf(result) === test)
    return own.length > 0 && own.every(({ status }) => status === 'passed')
  }
  return tests.filter((test) => !isGreen(test))
}

const ranIn = (testResults: Report['testResults']): Result[] =>
  testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status }) => status === 'passed' || status === 'failed')
