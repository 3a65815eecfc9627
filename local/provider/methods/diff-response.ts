import { provider } from '../proto.ts'
import { formatPath } from '../values.ts'
import type { Plan, PlannedChange } from './diff.ts'

type Kind = 'ADD' | 'DELETE' | 'UPDATE'

function kindOf(change: PlannedChange): number {
  const word = change.kind.toUpperCase() as Kind
  const kinds = provider.PropertyDiff.Kind
  return change.replaces ? kinds[`${word}_REPLACE`] : kinds[word]
}

const isIgnored = (path: string, ignored: readonly string[]): boolean =>
  ignored.some((one) => path === one || path.startsWith(`${one}.`) || path.startsWith(`${one}[`))

/** The engine's form of a plan: top-level names for old readers, one entry per field for the display. */
export function toDiffResponse(
  plan: Plan,
  ignored: readonly string[],
): InstanceType<typeof provider.DiffResponse> {
  const changes = plan.changes.filter((change) => !isIgnored(formatPath(change.path), ignored))
  const answer = new provider.DiffResponse()
  const { DIFF_SOME, DIFF_NONE } = provider.DiffResponse.DiffChanges
  answer.setChanges(changes.length > 0 ? DIFF_SOME : DIFF_NONE)
  answer.setHasdetaileddiff(true)
  answer.setDeletebeforereplace(plan.deleteBeforeReplace)
  answer.setDiffsList([...new Set(changes.map((change) => String(change.path[0])))])
  answer.setReplacesList(
    changes.filter((change) => change.replaces).map((change) => formatPath(change.path)),
  )
  for (const change of changes) {
    const detail = new provider.PropertyDiff()
    detail.setKind(kindOf(change))
    detail.setInputdiff(change.fromInputs)
    answer.getDetaileddiffMap().set(formatPath(change.path), detail)
  }
  return answer
}
