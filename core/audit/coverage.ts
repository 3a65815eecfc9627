import { TO } from './audience.ts'
import type { CutPart, Evidence, LostPart } from './evidence.ts'
import { place } from './findings.ts'

export interface Coverage {
  /** Sentences that begin with whom it is proved to. */
  readonly proves: readonly string[]
  readonly doesNotProve: readonly string[]
}

/** What a verification that found nothing shows, and what it did not look at for want of evidence. */
export function coverage(
  evidence: Evidence,
  signatures: number,
  outside: number,
  records: { readonly authenticated: number; readonly withoutKey: number },
  { cuts, losses }: { readonly cuts: readonly CutPart[]; readonly losses: readonly LostPart[] },
): Coverage {
  const isWhole = cuts.every(({ missing }) => missing === 0)
  const lost = losses.reduce((sum, { missing }) => sum + missing, 0)
  const proves = [
    `${TO.everybody}: every sealed record${isWhole ? '' : ' that is there'} has the bytes and the place that the log gives it`,
  ]
  const doesNotProve: string[] = []
  const say = (known: boolean, whom: string, yes: string, no: string) =>
    known ? proves.push(`${whom}: ${yes}`) : doesNotProve.push(no)
  say(
    evidence.verifiers.length > 0,
    TO.keys,
    `${signatures} batches were signed by a key of this log`,
    'who signed the batches: no public key was given (--key)',
  )
  say(
    outside > 0,
    TO.checkpoints,
    `nothing was rewritten or lost up to the ${outside} checkpoints given from outside`,
    'that this is the newest database: no checkpoint from outside was given (--checkpoint)',
  )
  say(
    evidence.witness.length > 0,
    TO.witness,
    `the ${evidence.witness.length} records that the witness saw are there${isWhole ? '' : ', or were cut,'} as they were committed${lost === 0 ? '' : `, but for ${lost} that a restore lost`}`,
    'that nothing was taken away before it was sealed: no witness was given (--witness)',
  )
  say(
    records.authenticated > 0,
    TO.macKeys,
    `${records.authenticated} records carry the MAC of their writer`,
    'who wrote the records: no MAC key was given (--mac-keys)',
  )
  for (const { epoch, first, last, missing, archive, authenticated } of cuts) {
    const where = place(epoch, first, last)
    say(
      missing === 0,
      TO.everybody,
      `the records ${where} are whole, from the log and the archives given`,
      `what ${missing} of the records ${where} said: they were cut, and archive ${archive} was not given (--archive)`,
    )
    if (!authenticated) doesNotProve.push(`who decided the cut ${where}: its MAC key was not given`)
  }
  if (records.authenticated > 0 && records.withoutKey > 0) {
    doesNotProve.push(`who wrote ${records.withoutKey} records: their MAC key was not given`)
  }
  doesNotProve.push(...losses.map(undecided))
  return { proves, doesNotProve }
}

/** Logins of the database, by its own word: its administrator makes them, and may be both. */
const undecided = ({ epoch, decision }: LostPart) =>
  decision
    ? `that ${decision.people.join(' and ')} are two people, and opened epoch ${epoch}: the database names them`
    : `who opened epoch ${epoch}: the record of the decision is not here`
