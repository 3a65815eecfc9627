import Value from 'typebox/value'
import { profileDefaults } from './defaults.ts'
import type { ConfigProblem } from './rule.ts'
import { judge } from './rules.ts'
import { type Profile, StackConfig } from './schema.ts'

/** Carries every problem found; nothing has been planned yet when it is thrown. */
export class StackConfigError extends Error {
  readonly code = 'ERR_STACK_CONFIG'
  readonly problems: readonly ConfigProblem[]

  constructor(problems: readonly ConfigProblem[]) {
    const lines = problems.map(
      ({ field, cause, remedy }) => `  palisade:${field}: ${cause}; ${remedy}`,
    )
    super(`ERR_STACK_CONFIG: the stack configuration cannot be used\n${lines.join('\n')}`)
    this.name = 'StackConfigError'
    this.problems = problems
  }
}

const PROFILES: readonly unknown[] = ['dev', 'staging', 'production']

/** Turns what the stack says into a complete configuration, or throws with every field that is wrong. */
export const parseStackConfig = (given: Readonly<Record<string, unknown>>): StackConfig => {
  if (!PROFILES.includes(given['profile'])) {
    throw new StackConfigError([
      {
        field: 'profile',
        cause: `${JSON.stringify(given['profile'])} is not a profile`,
        remedy: 'choose dev, staging or production',
      },
    ])
  }
  const complete = merge(profileDefaults(given['profile'] as Profile), given)
  if (!Value.Check(StackConfig, complete)) throw new StackConfigError(shapeProblems(complete))
  const problems = judge(complete)
  if (problems.length > 0) throw new StackConfigError(problems)
  return complete
}

const shapeProblems = (value: unknown): readonly ConfigProblem[] =>
  Value.Errors(StackConfig, value).flatMap(({ instancePath, keyword, message, params }) => {
    const at = instancePath.slice(1).replaceAll('/', '.')
    const inside = (name: string) => (at === '' ? name : `${at}.${name}`)
    if (keyword === 'required') {
      return params.requiredProperties.map((name) => ({
        field: inside(name),
        cause: 'is missing and has no default',
        remedy: 'add it to the stack file',
      }))
    }
    if (keyword === 'additionalProperties') {
      return params.additionalProperties.map((name) => ({
        field: inside(name),
        cause: 'is not a known key',
        remedy: 'remove it or mend its spelling',
      }))
    }
    // The false schema behind an unknown key reports the same key a second time.
    if (keyword === 'boolean') return []
    return [{ field: at, cause: message, remedy: 'mend the value in the stack file' }]
  })

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const merge = (
  base: Readonly<Record<string, unknown>>,
  over: Readonly<Record<string, unknown>>,
): Record<string, unknown> => {
  const merged: Record<string, unknown> = { ...base }
  for (const [key, value] of Object.entries(over)) {
    if (value === undefined) continue
    const under = merged[key]
    merged[key] = isPlain(under) && isPlain(value) ? merge(under, value) : value
  }
  return merged
}
